"""Which pictures an epoch consists of: all, or those that are still hard."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Selection:
    """After `full_epochs`, an epoch is the `kept_share` of the pictures with the largest loss.

    The loss is the latest that is known of a picture, as in online batch selection (Loshchilov
    and Hutter, arXiv 1511.06343): no pass is spent on finding out. A picture that was left out
    keeps its loss, and comes back when that of others has fallen below.
    """

    full_epochs: int
    kept_share: float

    def image_count(self, epoch: int, whole: int) -> int:
        """Return how many of `whole` pictures make up epoch `epoch` (from 0)."""
        return whole if epoch < self.full_epochs else max(1, round(whole * self.kept_share))

    def choose(self, epoch: int, losses_N: Tensor) -> Tensor:
        """Return the indices of the epoch's pictures, hardest first."""
        return losses_N.argsort(descending=True, stable=True)[
            : self.image_count(epoch, len(losses_N))
        ]
