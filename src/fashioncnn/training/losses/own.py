"""A loss of the user's own: a function of logits and labels in a file, or a class of such."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from fashioncnn.errors import CodeError
from fashioncnn.training.losses.base import LossSettings
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.part import NamedOwnPart


class OwnLossSettings(NamedOwnPart, LossSettings, extra="allow"):
    """A loss of your own: every further key is a keyword of its function or class."""

    @property
    def by_place(self) -> int:
        """See OwnPart: logits and labels."""
        return self.by_place_of_function(2)

    @property
    def offered(self) -> tuple[str, ...]:
        """See OwnPart."""
        return ("class_names",)

    def build(self, class_names: Sequence[str]) -> nn.Module:
        """See LossSettings."""
        with user_code(self.name):
            return OwnLoss(self.function(class_names=tuple(class_names)), self.name)


class OwnLoss(nn.Module):
    """Calls `function` with logits (n, classes) and labels (n,), int64."""

    def __init__(self, function: Callable[..., Tensor], address: str) -> None:
        super().__init__()
        self.function = function
        self.address = address

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss. The members of an ensemble stand below each other.

        Raises CodeError when it is not one number.
        """
        if logits.dim() > 2:
            logits, labels = logits.transpose(1, 2).flatten(0, 1), labels.flatten()
        with user_code(self.address):
            loss = self.function(logits, labels)
        if not isinstance(loss, Tensor) or loss.dim():
            shape = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise CodeError(
                f"{self.address} returns {shape}; it must be one number, a tensor: take the mean"
            )
        return loss
