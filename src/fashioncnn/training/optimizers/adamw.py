"""Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""

from __future__ import annotations

from typing import Literal

from torch import nn
from torch.optim import AdamW

from fashioncnn.training.optimizers.base import OptimizerSettings


class AdamWSettings(OptimizerSettings):
    """AdamW."""

    name: Literal["adamw"] = "adamw"

    def build(self, network: nn.Module) -> AdamW:
        """See OptimizerSettings."""
        return AdamW(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
