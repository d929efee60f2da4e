"""The command line: verbs only, a thin face on the workflows."""
