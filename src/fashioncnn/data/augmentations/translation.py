"""Translation by a random distance along each axis."""

from __future__ import annotations

import torch
from torch import Tensor


class Translation:
    """`strength` is the largest shift along each axis, in pixels of the source, not rounded."""

    uniforms = 2
    largest = 28.0

    def matrices(self, uniforms_NU: Tensor, strength_N: Tensor, source_size: int) -> Tensor:
        """Shift x and y by (2u - 1) times the strength."""
        pixels = (2 * uniforms_NU - 1) * strength_N[:, None]
        matrices = torch.eye(3).repeat(len(strength_N), 1, 1)
        matrices[:, :2, 2] = pixels * (2 / source_size)
        return matrices
