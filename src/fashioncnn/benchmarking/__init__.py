"""Machines, recipes and peers to measured time, accuracy and cost."""
