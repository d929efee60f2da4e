"""Batches and a network to `EpochRecord`s; the state that a checkpoint holds."""
