"""A learning-rate schedule of my own, for fashioncnn.

fashioncnn check FILE.py     does it follow from the step alone?
fashioncnn train FILE.toml   train with it; further keys of [schedule] are arguments below
"""


def my_schedule(share: float, power: float = 2.0) -> float:
    """Return the factor on optimizer.learning_rate after `share` (0 to 1) of the steps."""
    return float((1.0 - share) ** power)
