"""From a trained network to a bundle, checked against PyTorch."""
