"""Files to `LabelledImages` to `Splits` to `Batches`."""
