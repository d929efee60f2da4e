"""Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from fashioncnn.training.optimizers.base import OptimizerSettings, uncompiled

AdamW = uncompiled(torch.optim.AdamW)


class AdamWSettings(OptimizerSettings):
    """AdamW."""

    name: Literal["adamw"] = "adamw"

    def build(self, network: nn.Module) -> Optimizer:
        """See OptimizerSettings."""
        return AdamW(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
