"""What training by a recipe, and predicting with a network, cost in arithmetic."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.sources.fashion_mnist import SHAPE
from fashioncnn.models.freezing import freeze
from fashioncnn.recipes.build import (
    build_freezing,
    build_network,
    build_preparation,
    build_resizing,
    build_selection,
)
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.contents import Cost
from fashioncnn.training.device import hardware
from fashioncnn.usercode.faults import PREFIX

# Batch normalisation needs at least two pictures in training.
COUNTED_IMAGES = 2
LATENCY_SECONDS = 0.2
# Of the training that is counted; only the ratio of small to whole ones matters.
IMAGES = 60_000


def training_flops_an_image(recipe: Recipe, classes: int = 10, shape: Shape = SHAPE) -> int:
    """Return the floating-point operations of one picture's forward and backward pass.

    Where small pictures come first or stages rest, the mean over a training on IMAGES pictures.
    Counted over convolutions and matrix products, a multiplication and an addition being two; what
    is elementwise does not count.
    """
    network = build_network(recipe, classes, shape.channels)
    whole = build_preparation(recipe)
    selection, resizing, freezing = (
        build_selection(recipe),
        build_resizing(recipe),
        build_freezing(recipe),
    )
    raw = torch.zeros(COUNTED_IMAGES, *shape, dtype=torch.uint8)
    flops = image_count = 0
    counted: dict[tuple[int, tuple[int, int]], int] = {}
    for epoch in range(recipe.training.epochs):
        size = resizing.image_size(epoch, whole.image_size) if resizing else whole.image_size
        resting = freezing.stages if freezing and epoch >= freezing.after_epochs else 0
        if (resting, size) not in counted:
            if resting:
                freeze(network, resting)
            images = replace(whole, image_size=size)(raw)
            macs = _macs(network.train(), images, training=True)
            counted[resting, size] = 2 * macs // COUNTED_IMAGES
        images_of_epoch = selection.image_count(epoch, IMAGES) if selection else IMAGES
        flops += images_of_epoch * counted[resting, size]
        image_count += images_of_epoch
    return flops // image_count


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

        if not training:
            # The counter follows views, and takes those of weights for ones that learn.
            network = copy.deepcopy(network).requires_grad_(False)
        with FlopCounterMode(display=False) as counter:
            answers = network(images_NCHW)
            if training:
                answers.sum().backward()
        return int(counter.get_total_flops()) // 2
    macs = 0

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal macs
        if isinstance(module, nn.Conv2d | nn.Linear):
            # The weights' gradient and the input's, where they are wanted, take as many again.
            gradients = module.weight.requires_grad + inputs[0].requires_grad if training else 0
            macs += (1 + gradients) * output.numel() * module.weight[0].numel()

    # A global hook: stages that rest run as copies, which `network.modules()` does not list.
    hook = register_module_forward_hook(count)
    try:
        network(images_NCHW)
    finally:
        hook.remove()
    return macs
