"""A network and pictures to `Predictions`, and those to `Scores`."""
