"""What every optimiser has: its settings, which build it."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import TypeVar

import torch
from torch import nn
from torch.optim import Optimizer

from fashioncnn.settings import NotNegative, Positive, Settings

K = TypeVar("K", bound=type[Optimizer])


def uncompiled(kind: K) -> K:
    """Return a class of optimisers that does as `kind` does, without PyTorch's compiler.

    torch's own methods import it, to be left alone by it, which takes a second.
    """
    methods = {
        name: inspect.unwrap(getattr(kind, name))
        for name in ("add_param_group", "state_dict", "zero_grad")
    }
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "step": step})  # type: ignore[return-value]


class OptimizerSettings(Settings):
    """Settings of one optimiser; an optimiser's own add its keys."""

    name: str
    learning_rate: Positive = 0.001
    """The peak that the schedule scales."""
    weight_decay: NotNegative = 0.0
    """How strongly weights are drawn towards zero."""

    @abstractmethod
    def build(self, network: nn.Module) -> Optimizer:
        """Return the optimiser of `network`'s weights; the loop scales its rates by the schedule.

        In its fused form where torch has one: one kernel a step, not one a tensor.
        """
