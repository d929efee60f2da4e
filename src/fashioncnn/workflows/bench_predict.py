"""bench predict: how fast a trained network answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from fashioncnn.errors import DeviceError
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.training.device import DeviceName, PrecisionName, choose_device, hardware, has_bf16
from fashioncnn.workflows.trained import CheckpointName, open_trained

BATCH_SIZES = (1, 64, 1024)
SECONDS_A_BATCH_SIZE = 2.0
WARM_UP_CALLS = 5
FEWEST_CALLS = 20


def bench_predict(
    run: Run | Path | str,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    checkpoint: CheckpointName = "best",
    device: DeviceName = "auto",
    precision: PrecisionName = "fp32",
) -> dict[str, Any]:
    """Time the way from uint8 pictures to logits, preparation included, at each batch size.

    Answers images per second and the 50th and 99th percentile of a call's milliseconds. Pictures
    are noise: no data is read, and time does not depend on what a picture shows.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    trained = open_trained(run, checkpoint)
    chosen = choose_device(device)
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16(chosen.type))
    if bf16 and not has_bf16(chosen.type):
        raise DeviceError(f"--precision bf16: {hardware(chosen)} has no instructions for it")
    network = trained.network.to(chosen)
    preparation = build_preparation(trained.recipe)

    def predict(images_NCHW: torch.Tensor) -> None:
        with torch.inference_mode(), torch.autocast(chosen.type, torch.bfloat16, enabled=bf16):
            # To the processor, as an answer is of use there; it waits for the device, too.
            network(preparation(images_NCHW.to(chosen))).float().cpu()

    return {
        "run": str(run.path),
        "recipe": trained.recipe.name,
        "hardware": hardware(chosen),
        "precision": "bf16" if bf16 else "fp32",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "batches": [_measure(predict, size) for size in batch_sizes],
    }


def _measure(predict: Callable[[torch.Tensor], None], batch_size: int) -> dict[str, float]:
    images = torch.randint(0, 256, (batch_size, 1, 28, 28), dtype=torch.uint8)
    for _ in range(WARM_UP_CALLS):
        predict(images)
    seconds: list[float] = []
    ends = time.perf_counter() + SECONDS_A_BATCH_SIZE
    while len(seconds) < FEWEST_CALLS or time.perf_counter() < ends:
        started = time.perf_counter()
        predict(images)
        seconds.append(time.perf_counter() - started)
    percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "batch_size": batch_size,
        "calls": len(seconds),
        "images_per_second": batch_size * len(seconds) / sum(seconds),
        "p50_milliseconds": 1000 * percentiles[49],
        "p99_milliseconds": 1000 * percentiles[98],
    }
