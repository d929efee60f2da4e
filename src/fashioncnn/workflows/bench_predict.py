"""bench predict: how fast a trained network answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.bundles.bundle import INPUT, LOGITS, Bundle
from fashioncnn.errors import BenchmarkError, DeviceError
from fashioncnn.opening.models import AnyModel, open_model
from fashioncnn.processor import processor_name
from fashioncnn.usercode.faults import user_code

if TYPE_CHECKING:
    from fashioncnn.opening.trained import CheckpointName, Trained
    from fashioncnn.training.device import DeviceName, PrecisionName

BATCH_SIZES = (1, 64, 1024)
SECONDS_A_BATCH_SIZE = 2.0


@user_code()
def bench_predict(
    run: AnyModel,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    checkpoint: CheckpointName = "best",
    device: DeviceName = "auto",
    precision: PrecisionName = "fp32",
) -> dict[str, Any]:
    """Time the way from uint8 pictures to logits, preparation included, at each batch size.

    `run` is a run or a bundle. Answers images per second and the 50th and 99th percentile of a
    call's milliseconds. Pictures are noise: no data is read, and time does not depend on what a
    picture shows.
    """
    if not batch_sizes or min(batch_sizes) < 1:
        raise BenchmarkError(f"batch_sizes is {batch_sizes!r:.80}; they must be 1 or more")
    model = open_model(run, device, checkpoint)
    if isinstance(model, Bundle):
        return _of_bundle(model, batch_sizes)
    return _of_run(model, batch_sizes, precision)


def _of_bundle(bundle: Bundle, batch_sizes: Sequence[int]) -> dict[str, Any]:
    import os

    session = bundle.session

    def predict(images_NHWC: NDArray[np.uint8]) -> None:
        session.run([LOGITS], {INPUT: images_NHWC})

    return {
        "run": str(bundle.path),
        "recipe": bundle.facts.recipe,
        "hardware": f"{processor_name()}, {os.cpu_count()} threads, ONNX Runtime",
        "precision": bundle.facts.precision,
        "parameters": bundle.facts.parameters,
        "batches": [
            measure_calls(predict, bundle.shape, size, SECONDS_A_BATCH_SIZE) for size in batch_sizes
        ],
    }


def _of_run(
    trained: Trained, batch_sizes: Sequence[int], precision: PrecisionName
) -> dict[str, Any]:
    import torch

    from fashioncnn.data.preparation import as_uint8_NCHW
    from fashioncnn.training.device import hardware, has_bf16

    chosen = trained.device
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16(chosen.type))
    if bf16 and not has_bf16(chosen.type):
        raise DeviceError(f"--precision bf16: {hardware(chosen)} has no instructions for it")
    network = trained.network.to(chosen)
    preparation = trained.preparation

    def predict(images_NHWC: NDArray[np.uint8]) -> None:
        with torch.inference_mode(), torch.autocast(chosen.type, torch.bfloat16, enabled=bf16):
            # To the processor, as an answer is of use there; it waits for the device, too.
            network(preparation(as_uint8_NCHW(images_NHWC, chosen))).float().cpu()

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
