"""The latest loss that is known of every training picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class KnownLosses:
    """`latest_N` changes with every step; `at_epoch_start_N` is what the epoch was chosen by.

    Both are float32 (n,), infinite for pictures not seen yet.
    """

    def __init__(self, image_count: int, device: torch.device) -> None:
        self.latest_N = torch.full((image_count,), torch.inf, device=device)
        self.at_epoch_start_N = self.latest_N.clone()

    def note(self, indices: Tensor, logits_NC: Tensor, labels: Tensor) -> None:
        """Take the plain cross-entropy of a batch in."""
        losses = functional.cross_entropy(logits_NC.detach().float(), labels, reduction="none")
        self.latest_N[indices] = losses

    def begin_epoch(self) -> None:
        """Let the next epoch be chosen by what is known now."""
        self.at_epoch_start_N.copy_(self.latest_N)
