"""What training by a recipe, and predicting with a network, cost in arithmetic."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fashioncnn.data.preparation import Preparation
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.schema import Recipe

# Batch normalisation needs at least two pictures in training.
COUNTED_IMAGES = 2


def training_flops_an_image(recipe: Recipe, classes: int = 10) -> int:
    """Return the floating-point operations of one picture's forward and backward pass.

    Counted by torch over convolutions and matrix products, a multiplication and an addition being
    two; what is elementwise does not count.
    """
    from torch.utils.flop_counter import FlopCounterMode

    network = build_network(recipe, classes).train()
    images = build_preparation(recipe)(torch.zeros(COUNTED_IMAGES, 1, 28, 28, dtype=torch.uint8))
    with FlopCounterMode(display=False) as counter:
        network(images).sum().backward()
    return int(counter.get_total_flops()) // COUNTED_IMAGES


@torch.no_grad()
def prediction_macs(network: nn.Module, preparation: Preparation) -> int:
    """Return the multiplications, each with an addition, that one picture's answer takes.

    Counted over convolutions and dense layers, by hooks: torch's counter takes a second to start.
    """
    macs = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal macs
        del inputs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        macs += output.numel() * module.weight[0].numel()

    layers = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        network(preparation(torch.zeros(1, 1, 28, 28, dtype=torch.uint8)))
    finally:
        for hook in hooks:
            hook.remove()
    return macs
