"""Cross-entropy, and what bends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from fashioncnn.settings import Positive
from fashioncnn.training.losses.base import LossSettings


class CrossEntropySettings(LossSettings):
    """Cross-entropy."""

    name: Literal["cross-entropy"] = "cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the target that is spread over all classes."""
    class_weights: dict[str, Positive] = Field(default_factory=dict)
    """Weight by class name; 1 for classes not named."""

    def build(self, class_names: Sequence[str]) -> nn.Module:
        """See LossSettings."""
        weights = self.class_weights
        weight = torch.tensor([weights.get(name, 1.0) for name in class_names]) if weights else None
        return nn.CrossEntropyLoss(weight=weight, label_smoothing=self.label_smoothing)
