"""TOML to `Recipe` to the objects of the layers below: where configuration meets constructors."""
