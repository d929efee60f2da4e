"""Pictures made up to please: what a class, or a channel, would like to see most.

Gradient ascent on the pixels, kept smooth and steady under shifts as in Olah, Mordvintsev,
Schubert, "Feature Visualization", Distill 2017, doi 10.23915/distill.00007, sec. "The Enemy of
Feature Visualization".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.explanation.layers import visible_layers

STEPS = 160
RATE = 0.06
LARGEST_JITTER = 2
ROUGHNESS_COST = 0.5
BRIGHTNESS_COST = 1.0


def of_classes(
    network: nn.Module, classes: int, image_size: int, black: float, white: float, seed: int = 0
) -> NDArray[np.float32]:
    """Return a picture (classes, size, size) from `black` to `white` for each class's logit."""

    def pleased(logits: Tensor) -> Tensor:
        # A class's own logit alone would also be raised by what raises all the others.
        return functional.log_softmax(logits, 1).diagonal() + 0.1 * logits.diagonal()

    return _ascend(network, classes, image_size, (black, white), seed, pleased)


def of_channels(
    network: nn.Module,
    layer: str,
    channels: list[int],
    image_size: int,
    black: float,
    white: float,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Return a picture for each of `channels` of the visible layer `layer`: its mean answer."""
    heard: list[Tensor] = []

    def hear(module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs
        heard.append(output)

    def pleased(logits: Tensor) -> Tensor:
        del logits
        rows = torch.arange(len(channels))
        return heard.pop().flatten(2).mean(2)[rows, torch.tensor(channels)]

    limits = (black, white)
    return _ascend(network, len(channels), image_size, limits, seed, pleased, {layer: hear})


def _ascend(
    network: nn.Module,
    count: int,
    size: int,
    limits: tuple[float, float],
    seed: int,
    pleased: Callable[[Tensor], Tensor],
    hooks: Mapping[str, Callable[[nn.Module, Any, Tensor], None]] | None = None,
) -> NDArray[np.float32]:
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    layers = dict(visible_layers(network))
    for name, hook in (hooks or {}).items():
        layers[name].register_forward_hook(hook)
    black, white = limits
    random = torch.Generator().manual_seed(seed)
    wishes = torch.randn(count, 1, size, size, generator=random) * 0.1 - 1.5
    wishes.requires_grad_()
    optimizer = torch.optim.Adam([wishes], RATE)
    for _ in range(STEPS):
        shown = torch.sigmoid(wishes)
        down, right = torch.randint(
            -LARGEST_JITTER, LARGEST_JITTER + 1, (2,), generator=random
        ).tolist()
        moved = shown.roll((down, right), (2, 3))
        roughness = (shown.diff(dim=2).square().mean() + shown.diff(dim=3).square().mean()) * size
        score = pleased(network(black + (white - black) * moved)).sum()
        optimizer.zero_grad()
        costs = ROUGHNESS_COST * roughness + BRIGHTNESS_COST * shown.mean()
        loss = count * costs - score
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.asarray(torch.sigmoid(wishes).detach().numpy()[:, 0], np.float32)
