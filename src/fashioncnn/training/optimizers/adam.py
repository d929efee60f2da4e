"""Adam (Kingma and Ba, arXiv 1412.6980), with betas 0.9 and 0.999."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from fashioncnn.training.optimizers.base import OptimizerSettings, uncompiled

Adam = uncompiled(torch.optim.Adam)


class AdamSettings(OptimizerSettings):
    """Adam."""

    name: Literal["adam"] = "adam"

    def build(self, network: nn.Module) -> Optimizer:
        """See OptimizerSettings."""
        return Adam(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
