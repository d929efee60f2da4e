"""bench predict: how fast a trained network answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.errors import DeviceError
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import CheckpointName, open_trained
from fashioncnn.training.device import DeviceName, PrecisionName, hardware, has_bf16
from fashioncnn.usercode.faults import user_code

BATCH_SIZES = (1, 64, 1024)
SECONDS_A_BATCH_SIZE = 2.0


@user_code()
def bench_predict(
    run: AnyRun,
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
    trained = open_trained(run, checkpoint, device=device)
    chosen = trained.device
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16(chosen.type))
    if bf16 and not has_bf16(chosen.type):
        raise DeviceError(f"--precision bf16: {hardware(chosen)} has no instructions for it")
    network = trained.network.to(chosen)
    preparation = trained.preparation

    def predict(images_NCHW: torch.Tensor) -> None:
        with torch.inference_mode(), torch.autocast(chosen.type, torch.bfloat16, enabled=bf16):
            # To the processor, as an answer is of use there; it waits for the device, too.
            network(preparation(images_NCHW.to(chosen))).float().cpu()

    return {
        "run": str(trained.run.path),
        "recipe": trained.recipe.name,
        "hardware": hardware(chosen),
        "precision": "bf16" if bf16 else "fp32",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "batches": [
            measure_calls(predict, trained.shape, size, SECONDS_A_BATCH_SIZE)
            for size in batch_sizes
        ],
    }
