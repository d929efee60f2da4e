"""Activation maximisation: the picture that a class, or a channel, answers most strongly.

Gradient ascent on the pixels, kept smooth and steady under shifts as in Olah, Mordvintsev,
Schubert, "Feature Visualization", Distill 2017, doi 10.23915/distill.00007, sec. "The Enemy of
Feature Visualization".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.models.parts import keep_inputs, parts_of

STEPS = 160
RATE = 0.06
LARGEST_JITTER = 2
ROUGHNESS_COST = 0.5
BRIGHTNESS_COST = 1.0


def maximise(
    network: nn.Module,
    classes: int,
    channels: Mapping[str, Sequence[int]],
    image_size: int,
    limits: tuple[float, float],
    seed: int = 0,
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return the picture that each class, and each of `channels` by layer, answers most strongly.

    Pictures are (classes, size, size) and (channels, size, size) from 0 to 1, which stand for the
    prepared values `limits`, of black and of white. A class is maximised by its logit and its
    probability, a channel by the mean of its map. All are found side by side, in one batch.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    keep_inputs(network)
    kept: dict[str, Tensor] = {}
    layers = parts_of(network).shown
    for name in channels:
        layers[name].register_forward_hook(partial(_keep, kept, name))
    rows = _rows(classes, channels)
    targets = {name: torch.tensor(list(chosen)) for name, chosen in channels.items()}

    def objective(logits: Tensor) -> Tensor:
        own = logits[:classes]
        # A class's own logit alone would also be raised by what raises all the others.
        scores = [functional.log_softmax(own, 1).diagonal() + 0.1 * own.diagonal()]
        for name, chosen in targets.items():
            means = kept[name][rows[name]].flatten(2).mean(2)
            scores.append(means[torch.arange(len(chosen)), chosen])
        return torch.cat(scores)

    count = classes + sum(map(len, channels.values()))
    images = _ascend(network, count, image_size, limits, seed, objective)
    return images[:classes], {name: images[rows[name]] for name in channels}


def _keep(
    kept: dict[str, Tensor], name: str, module: nn.Module, inputs: Any, output: Tensor
) -> None:
    del module, inputs
    kept[name] = output


def _rows(classes: int, channels: Mapping[str, Sequence[int]]) -> dict[str, slice]:
    rows, start = {}, classes
    for name, chosen in channels.items():
        rows[name] = slice(start, start + len(chosen))
        start += len(chosen)
    return rows


def _ascend(
    network: nn.Module,
    count: int,
    size: int,
    limits: tuple[float, float],
    seed: int,
    objective: Callable[[Tensor], Tensor],
) -> NDArray[np.float32]:
    black, white = limits
    random = torch.Generator().manual_seed(seed)
    pixels = torch.randn(count, 1, size, size, generator=random) * 0.1 - 1.5
    pixels.requires_grad_()
    optimizer = torch.optim.Adam([pixels], RATE)
    for _ in range(STEPS):
        shown = torch.sigmoid(pixels)
        down, right = torch.randint(
            -LARGEST_JITTER, LARGEST_JITTER + 1, (2,), generator=random
        ).tolist()
        moved = shown.roll((down, right), (2, 3))
        roughness = (shown.diff(dim=2).square().mean() + shown.diff(dim=3).square().mean()) * size
        score = objective(network(black + (white - black) * moved)).sum()
        optimizer.zero_grad()
        costs = ROUGHNESS_COST * roughness + BRIGHTNESS_COST * shown.mean()
        loss = count * costs - score
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.asarray(torch.sigmoid(pixels).detach().numpy()[:, 0], np.float32)
