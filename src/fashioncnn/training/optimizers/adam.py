"""Adam (Kingma and Ba, arXiv 1412.6980), with betas 0.9 and 0.999."""

from __future__ import annotations

from typing import Literal

from torch import nn
from torch.optim import Adam

from fashioncnn.training.optimizers.base import OptimizerSettings


class AdamSettings(OptimizerSettings):
    """Adam."""

    name: Literal["adam"] = "adam"

    def build(self, network: nn.Module) -> Adam:
        """See OptimizerSettings."""
        return Adam(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
