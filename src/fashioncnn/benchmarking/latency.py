"""How long a call takes, in the middle and at its worst."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import Shape

WARM_UP_CALLS = 5
FEWEST_CALLS = 20


def measure_calls(
    predict: Callable[[NDArray[np.uint8]], object], shape: Shape, batch_size: int, seconds: float
) -> dict[str, float]:
    """Call `predict` with uint8 noise (n, h, w, c) of `shape` for `seconds`, 20 times at least.

    Answers images per second and the 50th and 99th percentile of a call's milliseconds.
    """
    size = (batch_size, shape.height, shape.width, shape.channels)
    images = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    for _ in range(WARM_UP_CALLS):
        predict(images)
    taken: list[float] = []
    ends = time.perf_counter() + seconds
    while len(taken) < FEWEST_CALLS or time.perf_counter() < ends:
        started = time.perf_counter()
        predict(images)
        taken.append(time.perf_counter() - started)
    percentiles = statistics.quantiles(taken, n=100, method="inclusive")
    return {
        "batch_size": batch_size,
        "calls": len(taken),
        "images_per_second": batch_size * len(taken) / sum(taken),
        "p50_milliseconds": 1000 * percentiles[49],
        "p99_milliseconds": 1000 * percentiles[98],
    }
