"""Horizontal flip: left becomes right with a given probability."""

from __future__ import annotations

import torch
from torch import Tensor


class HorizontalFlip:
    """`strength` is the probability of a flip, 0 to 1."""

    uniforms = 1
    largest = 1.0

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Mirror the pictures whose uniform number lies below the probability."""
        flipped = uniforms_NU[:, 0] < strength_N
        return torch.where(flipped[:, None, None, None], images_NCHW.flip(3), images_NCHW)
