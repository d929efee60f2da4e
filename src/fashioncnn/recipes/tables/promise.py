"""The table `promise`: what a recipe reaches."""

from __future__ import annotations

from fashioncnn.settings import Count, Positive, Settings


class Promise(Settings):
    """What the recipe reaches: written by `benchmarks/publish.py` from measured results."""

    test_accuracy_percent: float
    std_percent: float
    n: Count
    seconds: Positive
    hardware: str
    command: str
