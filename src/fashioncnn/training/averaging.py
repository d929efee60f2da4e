"""Weight averaging: an exponential moving average of the weights, used to predict."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MovingAverage:
    """After each step: average = decay * average + (1 - decay) * weights.

    The first step copies. Buffers, such as batch-norm statistics, are averages already: copied.
    `network` is the averaged one, in evaluation mode.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._source = network
        self.started = False

    @torch.no_grad()
    def update(self) -> None:
        """Take the step's weights in."""
        averages: list[Tensor] = list(self.network.parameters())
        weights: list[Tensor] = list(self._source.parameters())
        if self.started:
            torch._foreach_lerp_(averages, weights, 1 - self.decay)
        else:
            torch._foreach_copy_(averages, weights)
            self.started = True
        for average, buffer in zip(self.network.buffers(), self._source.buffers(), strict=True):
            average.copy_(buffer)
