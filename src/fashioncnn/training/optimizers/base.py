"""What every optimiser has: its settings, which build it."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn
from torch.optim import Optimizer

from fashioncnn.settings import NotNegative, Positive, Settings


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
