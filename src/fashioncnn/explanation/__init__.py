"""A network and pictures to what it has learned: filters and feature maps."""
