"""A loss that also has an answer for pictures of no class: no opinion."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.data.augmentations.base import NO_CLASS


class OutlierExposure(nn.Module):
    """`loss` of the pictures with a class; for those of NO_CLASS every class is right alike.

    Outlier exposure (Hendrycks et al., arXiv 1812.04606, sec. 3, eq. 2), each picture of the same
    weight.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of logits (n, classes, …) and labels (n, …)."""
        if logits.dim() > 2:
            logits, labels = logits.transpose(1, 2).flatten(0, 1), labels.flatten()
        known = labels != NO_CLASS
        undecided = -functional.log_softmax(logits[~known].float(), 1).mean(1).sum() / len(labels)
        if not bool(known.any()):
            return undecided
        own: Tensor = self.loss(logits[known], labels[known])
        return own * known.float().mean() + undecided
