"""Horizontal flip: left becomes right with a given probability."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import PixelAugmentation


class HorizontalFlip(PixelAugmentation):
    """`strength` is the probability of a flip, 0 to 1."""

    key = "horizontal_flip_probability"
    strength = Annotated[float, Field(ge=0, le=1, description="Of a mirrored picture.")]
    uniforms = 1

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Mirror the pictures whose uniform number lies below the probability."""
        flipped = uniforms_NU[:, 0] < strength_N
        return torch.where(flipped[:, None, None, None], images_NCHW.flip(3), images_NCHW)
