"""From a trained run to one page in which it runs."""
