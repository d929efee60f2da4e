"""Translation by a random distance along each axis."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import AffineAugmentation


class Translation(AffineAugmentation):
    """`strength` is the largest shift along each axis, in pixels of the source, not rounded."""

    key = "translation_pixels"
    strength = Annotated[
        float,
        Field(
            ge=0,
            le=224,
            description="Shifts along each axis are uniform between minus this and this, in source "
            "pixels.",
        ),
    ]
    uniforms = 2

    def matrices(
        self, uniforms_NU: Tensor, strength_N: Tensor, source_size: tuple[int, int]
    ) -> Tensor:
        """Shift x and y by (2u - 1) times the strength."""
        height, width = source_size
        pixels = (2 * uniforms_NU - 1) * strength_N[:, None]
        matrices = torch.eye(3).repeat(len(strength_N), 1, 1)
        matrices[:, :2, 2] = pixels * torch.tensor([2 / width, 2 / height])
        return matrices
