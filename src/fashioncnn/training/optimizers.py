"""The optimisers, in their fused form: one kernel a step in place of one a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer


def adam(
    parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float, momentum: float
) -> Optimizer:
    """Adam (Kingma and Ba, arXiv 1412.6980), with betas 0.9 and 0.999; no `momentum`."""
    del momentum
    return torch.optim.Adam(parameters, learning_rate, weight_decay=weight_decay, fused=True)


def adamw(
    parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float, momentum: float
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""
    del momentum
    return torch.optim.AdamW(parameters, learning_rate, weight_decay=weight_decay, fused=True)


def sgd(
    parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float, momentum: float
) -> Optimizer:
    """Stochastic gradient descent, with Nesterov's momentum unless `momentum` is 0."""
    return torch.optim.SGD(
        parameters,
        learning_rate,
        momentum=momentum,
        nesterov=momentum > 0,
        weight_decay=weight_decay,
        fused=True,
    )


OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], float, float, float], Optimizer]] = {
    "adam": adam,
    "adamw": adamw,
    "sgd": sgd,
}
