"""Stochastic gradient descent, with Nesterov's momentum unless it is 0."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.optim import Optimizer

from fashioncnn.training.optimizers.base import OptimizerSettings, uncompiled

SGD = uncompiled(torch.optim.SGD)


class SGDSettings(OptimizerSettings):
    """SGD."""

    name: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Nesterov's."""

    def build(self, network: nn.Module) -> Optimizer:
        """See OptimizerSettings."""
        return SGD(
            network.parameters(),
            self.learning_rate,
            momentum=self.momentum,
            nesterov=self.momentum > 0,
            weight_decay=self.weight_decay,
            fused=True,
        )
