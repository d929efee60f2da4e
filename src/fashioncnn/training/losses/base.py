"""What every loss has: its settings, which build it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import nn

from fashioncnn.settings import Settings


class LossSettings(Settings):
    """Settings of one loss; a loss's own add its keys."""

    name: str

    @abstractmethod
    def build(self, class_names: Sequence[str]) -> nn.Module:
        """Return the loss of logits (n, classes, …) and labels (n, …): a mean, one number."""
