"""Rotation about the middle by a random angle."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import AffineAugmentation


class Rotation(AffineAugmentation):
    """`strength` is the largest angle in degrees, either way."""

    key = "rotation_degrees"
    strength = Annotated[
        float,
        Field(
            ge=0, le=180, description="Angles are uniform between minus this and this, in degrees."
        ),
    ]
    uniforms = 1

    def matrices(
        self, uniforms_NU: Tensor, strength_N: Tensor, source_size: tuple[int, int]
    ) -> Tensor:
        """Rotate by (2u - 1) times the strength."""
        height, width = source_size
        radians = torch.deg2rad((2 * uniforms_NU[:, 0] - 1) * strength_N)
        matrices = torch.eye(3).repeat(len(strength_N), 1, 1)
        matrices[:, 0, 0] = matrices[:, 1, 1] = radians.cos()
        matrices[:, 0, 1] = -radians.sin() * (height / width)
        matrices[:, 1, 0] = radians.sin() * (width / height)
        return matrices
