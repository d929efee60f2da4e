"""The table `data`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from fashioncnn.data.images import LARGEST_SIDE, SMALLEST_SIDE
from fashioncnn.settings import Positive, Settings

Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE), Strict()]
# One number for all channels, or one for each of three.
Mean = float | Annotated[tuple[float, float, float], Strict(False)] | Literal["data"]
Std = Positive | Annotated[tuple[Positive, Positive, Positive], Strict(False)] | Literal["data"]


class DataSettings(Settings):
    """How pictures are split and prepared."""

    image_size: Side | Annotated[tuple[Side, Side], Strict(False)] | Literal["data"] = 28
    """Pixels a side that the network sees, or [height, width], or "data": as the pictures are.
    Others are resized bilinearly."""
    pixel_mean: Mean = 0.0
    """Subtracted from pixels on the scale 0 to 1: one number, or one a channel, or "data": the mean
    of the training pictures."""
    pixel_std: Std = 1.0
    """What they are divided by afterwards; "data": the standard deviation of the training
    pictures."""
    validation_images: Annotated[int, Field(ge=0)] = 5000
    """How many of the training pictures are set aside, of every class in proportion; of another
    data set than Fashion-MNIST a twelfth, where that is more than half. With 0, all are trained on,
    and the last epoch's weights are taken. A data set that brings validation pictures keeps its
    own."""
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 20170825
    """Which ones. Two recipes with the same seed and number can be compared on validation."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that the network sees. Raises ValueError while that is "data"."""
        if isinstance(self.image_size, str):
            raise ValueError("data.image_size is 'data': it is known when the pictures are")
        return (self.image_size,) * 2 if isinstance(self.image_size, int) else self.image_size
