"""The optimisers, in their fused form where torch has one: one kernel a step, not one a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from fashioncnn.training.muon import Muon

# Beside Muon, as its author has it for convolutional networks (KellerJordan/cifar10-airbench).
SGD_MOMENTUM = 0.85


@dataclass(frozen=True)
class OptimizerSettings:
    """What a recipe says; each optimiser takes what it knows.

    `learning_rate` and `sgd_learning_rate` are peaks; the loop scales both by the schedule.
    """

    learning_rate: float
    weight_decay: float = 0.0
    momentum: float = 0.9
    sgd_learning_rate: float = 1.0


def adam(network: nn.Module, settings: OptimizerSettings) -> Optimizer:
    """Adam (Kingma and Ba, arXiv 1412.6980), with betas 0.9 and 0.999; no `momentum`."""
    return Adam(
        network.parameters(),
        settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def adamw(network: nn.Module, settings: OptimizerSettings) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""
    return AdamW(
        network.parameters(),
        settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def sgd(network: nn.Module, settings: OptimizerSettings) -> Optimizer:
    """Stochastic gradient descent, with Nesterov's momentum unless `momentum` is 0."""
    return SGD(
        network.parameters(),
        settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def muon(network: nn.Module, settings: OptimizerSettings) -> Optimizer:
    """Muon on the convolutions between feature maps; the rest by SGD at `sgd_learning_rate`.

    That is how its author uses it: the first convolution and the output layer are no hidden
    matrices, biases and norms no matrices at all. Weight decay holds for the rest alone.
    """
    hidden = [
        module.weight
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.in_channels > 1
    ]
    chosen = {id(weight) for weight in hidden}
    rest = [weight for weight in network.parameters() if id(weight) not in chosen]
    groups = [
        {"params": hidden, "lr": settings.learning_rate, "orthogonal": True},
        {
            "params": rest,
            "lr": settings.sgd_learning_rate,
            "weight_decay": settings.weight_decay,
            "momentum": SGD_MOMENTUM,
        },
    ]
    return Muon([group for group in groups if group["params"]], settings.momentum)


OPTIMIZERS: dict[str, Callable[[nn.Module, OptimizerSettings], Optimizer]] = {
    "adam": adam,
    "adamw": adamw,
    "sgd": sgd,
    "muon": muon,
}
