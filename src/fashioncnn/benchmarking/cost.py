"""What training by a recipe, and predicting with a network, cost in arithmetic."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.sources.fashion_mnist import SHAPE
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.contents import Cost
from fashioncnn.training.device import hardware
from fashioncnn.usercode.faults import PREFIX

# Batch normalisation needs at least two pictures in training.
COUNTED_IMAGES = 2
LATENCY_SECONDS = 0.2


def training_flops_an_image(recipe: Recipe, classes: int = 10, shape: Shape = SHAPE) -> int:
    """Return the floating-point operations of one picture's forward and backward pass.

    Counted over convolutions and matrix products, a multiplication and an addition being two; what
    is elementwise does not count.
    """
    network = build_network(recipe, classes, shape.channels).train()
    images = build_preparation(recipe)(torch.zeros(COUNTED_IMAGES, *shape, dtype=torch.uint8))
    return 2 * _macs(network, images, training=True) // COUNTED_IMAGES


def cost(network: nn.Module, preparation: Preparation, shape: Shape) -> Cost:
    """Return parameters, bytes of the weights, arithmetic and latency of one picture, in fp32.

    Latency is on this machine's processor, from one uint8 picture to its logits; `bench predict`
    takes longer over it, and tries larger batches.
    """
    processor = torch.device("cpu")
    network = network.to(processor)
    weights = list(network.parameters())

    def predict(images_NHWC: NDArray[np.uint8]) -> None:
        with torch.inference_mode():
            network(preparation(as_uint8_NCHW(images_NHWC, torch.device("cpu"))))

    calls = measure_calls(predict, shape, 1, LATENCY_SECONDS)
    return Cost(
        parameters=sum(weight.numel() for weight in weights),
        weight_bytes=sum(weight.numel() * weight.element_size() for weight in weights),
        macs=prediction_macs(network, preparation, shape),
        p50_milliseconds=calls["p50_milliseconds"],
        p99_milliseconds=calls["p99_milliseconds"],
        hardware=hardware(processor),
        threads=torch.get_num_threads(),
    )


@torch.no_grad()
def prediction_macs(network: nn.Module, preparation: Preparation, shape: Shape) -> int:
    """Return the multiplications, each with an addition, that one picture's answer takes."""
    return _macs(network, preparation(torch.zeros(1, *shape, dtype=torch.uint8)), training=False)


def _macs(network: nn.Module, images_NCHW: Tensor, *, training: bool) -> int:
    """Return the multiplications of a forward pass, or with `training` of the backward pass, too.

    Counted over convolutions and dense layers, by hooks: torch's counter takes a second to start,
    and the gradients of convolutions in groups for those of whole ones. It is needed where a user's
    own network may multiply outside of such layers.
    """
    if any(type(part).__module__.startswith(PREFIX) for part in network.modules()):
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            answers = network(images_NCHW)
            if training:
                answers.sum().backward()
        return int(counter.get_total_flops()) // 2
    macs = 0

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        # The weights' gradient, and the input's where one is wanted, take as many again.
        passes = 2 + inputs[0].requires_grad if training else 1
        macs += passes * output.numel() * module.weight[0].numel()

    layers = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        network(images_NCHW)
    finally:
        for hook in hooks:
            hook.remove()
    return macs
