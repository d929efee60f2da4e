"""Rotation about the middle by a random angle."""

from __future__ import annotations

import torch
from torch import Tensor


class Rotation:
    """`strength` is the largest angle in degrees, either way."""

    uniforms = 1
    largest = 180.0

    def matrices(self, uniforms_NU: Tensor, strength_N: Tensor, source_size: int) -> Tensor:
        """Rotate by (2u - 1) times the strength."""
        del source_size
        radians = torch.deg2rad((2 * uniforms_NU[:, 0] - 1) * strength_N)
        matrices = torch.eye(3).repeat(len(strength_N), 1, 1)
        matrices[:, 0, 0] = matrices[:, 1, 1] = radians.cos()
        matrices[:, 0, 1] = -radians.sin()
        matrices[:, 1, 0] = radians.sin()
        return matrices
