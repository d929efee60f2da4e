"""The run directory: its layout, its log, its checkpoints, and where it came from."""
