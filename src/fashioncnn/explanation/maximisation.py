"""Activation maximisation: the picture that a class, or a channel, answers most strongly.

Gradient ascent on the pixels, kept smooth and steady under shifts as in Olah, Mordvintsev,
Schubert, "Feature Visualization", Distill 2017, doi 10.23915/distill.00007, sec. "The Enemy of
Feature Visualization".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.explanation.answers import as_maps
from fashioncnn.models.parts import parts_of

STEPS = 160
RATE = 0.06
LARGEST_JITTER = 2
ROUGHNESS_COST = 0.5
BRIGHTNESS_COST = 1.0


def maximise(
    network: nn.Module,
    classes: int,
    channels: Mapping[str, Sequence[int]],
    size: tuple[int, int, int],
    limits: tuple[Tensor, Tensor],
    seed: int = 0,
    bf16: bool = False,
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return the picture that each class, and each of `channels` by layer, answers most strongly.

    Their `size` is (channels, height, width); they are (n, height, width, channels) from 0 to 1,
    which stand for the prepared values `limits`, of black and of white. A class is maximised by its
    logit and its probability, a channel by the mean of its map. All are found side by side, with
    `bf16` in bfloat16 on the processor, which is half as much again as fast where it has
    instructions for it.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    layers = parts_of(network).shown
    targets = {name: torch.tensor(list(chosen)) for name, chosen in channels.items()}

    def objective(images_NCHW: Tensor) -> Tensor:
        own = network(images_NCHW[:classes]).float()
        # A class's own logit alone would also be raised by what raises all the others.
        scores = [functional.log_softmax(own, 1).diagonal() + 0.1 * own.diagonal()]
        for name, chosen in targets.items():
            maps = _output(network, layers[name], images_NCHW[rows[name]])
            scores.append(maps.float().flatten(2).mean(2)[torch.arange(len(chosen)), chosen])
        return torch.cat(scores)

    rows = _rows(classes, channels)
    count = classes + sum(map(len, channels.values()))
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        images = _ascend(objective, count, size, limits, seed)
    return images[:classes], {name: images[rows[name]] for name in channels}


class _Reached(Exception):
    """Ends a forward pass where the layer that is asked has answered."""


def _output(network: nn.Module, layer: nn.Module, images_NCHW: Tensor) -> Tensor:
    """Return the maps that `layer` answers; what comes after it is not computed."""
    answers: list[Tensor] = []
    height, width = images_NCHW.shape[2:]

    def end(module: nn.Module, inputs: Any, output: object) -> None:
        del module, inputs
        maps = as_maps(output, (height, width))
        assert maps is not None
        answers.append(maps)
        raise _Reached

    handle = layer.register_forward_hook(end)
    try:
        network(images_NCHW)
    except _Reached:
        pass
    finally:
        handle.remove()
    return answers[0]


def _rows(classes: int, channels: Mapping[str, Sequence[int]]) -> dict[str, slice]:
    rows, start = {}, classes
    for name, chosen in channels.items():
        rows[name] = slice(start, start + len(chosen))
        start += len(chosen)
    return rows


def _ascend(
    objective: Callable[[Tensor], Tensor],
    count: int,
    size: tuple[int, int, int],
    limits: tuple[Tensor, Tensor],
    seed: int,
) -> NDArray[np.float32]:
    """Return the pictures (count, h, w, c) that raise the sum of `objective` most."""
    black, white = limits
    random = torch.Generator().manual_seed(seed)
    side = math.sqrt(size[1] * size[2])
    pixels = torch.randn(count, *size, generator=random) * 0.1 - 1.5
    pixels.requires_grad_()
    mean, square = torch.zeros_like(pixels), torch.zeros_like(pixels)
    for step in range(1, STEPS + 1):
        shown = torch.sigmoid(pixels)
        down, right = torch.randint(
            -LARGEST_JITTER, LARGEST_JITTER + 1, (2,), generator=random
        ).tolist()
        moved = shown.roll((down, right), (2, 3))
        roughness = (shown.diff(dim=2).square().mean() + shown.diff(dim=3).square().mean()) * side
        score = objective(black + (white - black) * moved).sum()
        costs = ROUGHNESS_COST * roughness + BRIGHTNESS_COST * shown.mean()
        (gradient,) = torch.autograd.grad(count * costs - score, pixels)
        # Adam by hand (Kingma, Ba, arXiv 1412.6980): torch's takes a second to import.
        mean.lerp_(gradient, 0.1)
        square.lerp_(gradient.square(), 0.001)
        change = mean / (1 - 0.9**step) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        with torch.no_grad():
            pixels -= RATE * change
    found = torch.sigmoid(pixels).detach().permute(0, 2, 3, 1).contiguous()
    return np.asarray(found.numpy(), np.float32)
