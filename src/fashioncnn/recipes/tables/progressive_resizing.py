"""The table `progressive_resizing`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from fashioncnn.settings import Settings, Share


class ProgressiveResizingSettings(Settings):
    """Small pictures first."""

    image_scales: Annotated[tuple[Share, ...], Strict(False), Field(min_length=1, max_length=10)]
    """Of `data.image_size`: the first epochs' share of it, the next epochs', and so on."""
    epoch_shares: Annotated[tuple[Share, ...], Strict(False), Field(min_length=1, max_length=10)]
    """Of `training.epochs`: how long each of them lasts; the rest see the whole size."""

    @model_validator(mode="after")
    def _leaves_some_for_the_whole(self) -> ProgressiveResizingSettings:
        if len(self.image_scales) != len(self.epoch_shares):
            raise ValueError(
                f"progressive_resizing.image_scales has {len(self.image_scales)} entries and "
                f"progressive_resizing.epoch_shares {len(self.epoch_shares)}; both need one a size"
            )
        if round(sum(self.epoch_shares), 6) >= 1:
            raise ValueError(
                f"progressive_resizing.epoch_shares add up to {sum(self.epoch_shares):g}; "
                "they must leave some epochs for the whole size"
            )
        return self

    def image_sizes(self, whole: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return (height, width) of each scale, `whole` being those at the end."""
        height, width = whole
        return tuple(
            (max(1, round(height * scale)), max(1, round(width * scale)))
            for scale in self.image_scales
        )
