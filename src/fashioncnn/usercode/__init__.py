"""A user's own Python files: read, kept by their digest, run only where they are trusted."""
