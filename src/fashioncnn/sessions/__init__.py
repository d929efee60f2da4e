"""A recipe on opened data, trained into run directories, from the start or where it stopped."""
