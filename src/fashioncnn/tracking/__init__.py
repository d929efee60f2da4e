"""Copies of runs in the experiment trackers that people use; the plain files remain the truth."""
