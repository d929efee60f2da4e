"""What every network family has: its settings, which build the network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from fashioncnn.settings import Settings


class ModelSettings(Settings):
    """Settings of one family; a family's own add its keys.

    A key without a default has an example, of a small network: listings and tests use it.
    """

    lays_out_itself: ClassVar[bool] = False
    """Whether `build` decides the order in memory; else it is channels-last."""

    any_image_size: ClassVar[bool] = False
    """Whether one network takes pictures of several sizes, as small ones that come first are."""

    family: str
    members: Annotated[int, Field(ge=1, le=100)] = 1
    """Networks that learn side by side, each by its own loss, and answer with the mean of their
    probabilities; costs as many times as much."""

    @property
    def freezable_stages(self) -> int:
        """How many stages, from the first, can rest while the others learn."""
        return 0

    @abstractmethod
    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        """Return one network with fresh weights, drawn from torch's own random state.

        It takes float pictures (n, in_channels, *image_size), `image_size` being (height, width),
        and returns logits (n, classes).
        """

    def fault(self, image_size: tuple[int, int]) -> str | None:
        """Say why the network cannot take pictures of (height, width), or None when it can."""
        del image_size
        return None


def check_blocks(channels: Sequence[int], blocks: Sequence[int]) -> None:
    """Raise ValueError unless there is one number of blocks a stage."""
    if len(blocks) != len(channels):
        raise ValueError(
            f"model.blocks has {len(blocks)} entries and model.channels "
            f"{len(channels)}; both need one a stage"
        )


def halving_fault(stages: int, halvings: int, image_size: tuple[int, int]) -> str | None:
    """Say that `halvings` of `stages` leave nothing of the shorter side, or None."""
    shorter = min(image_size)
    if shorter >> halvings:
        return None
    spared = stages - halvings
    return (
        f"model.channels has {stages} entries, each {'but the first ' if spared else ''}"
        f"halving the picture: a side of {shorter} pixels allows at most "
        f"{shorter.bit_length() - 1 + spared}"
    )
