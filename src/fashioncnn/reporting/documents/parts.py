"""What documents of several pages have."""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MeanStd:
    """A mean over runs, and the sample standard deviation where there are several."""

    mean: float
    std: float | None
