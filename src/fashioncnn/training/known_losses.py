"""The latest loss that is known of every training picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fashioncnn.data.augmentations.base import NO_CLASS


class KnownLosses:
    """`latest_N` changes with every step; `at_epoch_start_N` is what the epoch was chosen by.

    Both are float32 (n,), infinite for pictures not seen yet.
    """

    def __init__(self, image_count: int, device: torch.device) -> None:
        self.latest_N = torch.full((image_count,), torch.inf, device=device)
        self.at_epoch_start_N = self.latest_N.clone()

    def note(self, indices: Tensor, logits_NC: Tensor, labels: Tensor) -> None:
        """Take the plain cross-entropy of a batch in; pictures of no class keep what was known."""
        known = labels != NO_CLASS
        losses = functional.cross_entropy(
            logits_NC.detach().float(), labels, reduction="none", ignore_index=NO_CLASS
        )
        self.latest_N[indices] = torch.where(known, losses, self.latest_N[indices])

    def begin_epoch(self) -> None:
        """Let the next epoch be chosen by what is known now."""
        self.at_epoch_start_N.copy_(self.latest_N)
