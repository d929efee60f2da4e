"""What a trained network costs to keep and to ask."""

from __future__ import annotations

from typing import Any

import torch

from fashioncnn.benchmarking.cost import prediction_macs
from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.recipes.build import build_preparation
from fashioncnn.training.device import hardware
from fashioncnn.workflows.trained import Trained

SECONDS = 0.2


def cost(trained: Trained) -> dict[str, Any]:
    """Return parameters, bytes of the weights, arithmetic and latency of one picture, in fp32.

    Latency is on this machine's processor, from one uint8 picture to its logits; `bench predict`
    takes longer over it, and tries larger batches.
    """
    processor = torch.device("cpu")
    network, preparation = trained.network.to(processor), build_preparation(trained.recipe)
    weights = list(network.parameters())

    def predict(images_NCHW: torch.Tensor) -> None:
        with torch.inference_mode():
            network(preparation(images_NCHW))

    calls = measure_calls(predict, 1, SECONDS)
    return {
        "parameters": sum(weight.numel() for weight in weights),
        "weight_bytes": sum(weight.numel() * weight.element_size() for weight in weights),
        "macs": prediction_macs(network, preparation),
        "p50_milliseconds": calls["p50_milliseconds"],
        "p99_milliseconds": calls["p99_milliseconds"],
        "hardware": hardware(processor),
        "threads": torch.get_num_threads(),
    }
