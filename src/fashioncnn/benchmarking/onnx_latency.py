"""How fast ONNX files answer on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.bundles.bundle import INPUT, LOGITS, open_session
from fashioncnn.bundles.facts import Facts
from fashioncnn.processor import processor_name

SPEED_BATCHES = (1, 64)
SPEED_SECONDS = 1.0


def measure_speeds(facts: Facts, models: Mapping[str, bytes]) -> dict[str, Any]:
    """Measure each ONNX file on this machine, in turns."""
    asks = {name: _ask(model) for name, model in models.items()}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in models}
    for size in SPEED_BATCHES:
        for name, ask in asks.items():
            found[name].append(measure_calls(ask, facts.shape, size, SPEED_SECONDS))
    return {"hardware": f"{processor_name()}, {os.cpu_count()} threads", "batches": found}


def _ask(model: bytes) -> Callable[[NDArray[np.uint8]], object]:
    session = open_session(model)
    return lambda images_NHWC: session.run([LOGITS], {INPUT: images_NHWC})
