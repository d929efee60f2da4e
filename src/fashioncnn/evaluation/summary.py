"""Several runs in one figure: mean, sample standard deviation, and the values themselves."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def summarise(runs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Return "mean", "std" (with n - 1; None for one run) and "values" by metric."""
    return {
        name: {
            "mean": statistics.fmean(values),
            "std": statistics.stdev(values) if len(values) > 1 else None,
            "values": values,
        }
        for name in (runs[0] if runs else ())
        if (values := [run[name] for run in runs])
    }
