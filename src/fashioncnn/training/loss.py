"""The loss that is optimised: cross-entropy, and what bends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import nn

from fashioncnn.settings import Positive, Settings


class LossSettings(Settings):
    """Cross-entropy."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the target that is spread over all classes."""
    class_weights: dict[str, Positive] = Field(default_factory=dict)
    """Weight by class name; 1 for classes not named."""

    def build(self, class_names: Sequence[str]) -> nn.Module:
        """Return the loss of logits (n, classes, …) and labels (n, …)."""
        weights = self.class_weights
        weight = torch.tensor([weights.get(name, 1.0) for name in class_names]) if weights else None
        return nn.CrossEntropyLoss(weight=weight, label_smoothing=self.label_smoothing)
