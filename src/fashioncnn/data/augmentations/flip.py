"""Horizontal flip: left becomes right with a given probability."""

from __future__ import annotations

import torch
from torch import Tensor


class HorizontalFlip:
    """`strength` is the probability of a flip, 0 to 1."""

    uniforms = 1
    largest = 1.0

    def matrices(self, uniforms_NU: Tensor, strength_N: Tensor, source_size: int) -> Tensor:
        """Mirror x where the uniform number lies below the probability."""
        del source_size
        matrices = torch.eye(3).repeat(len(strength_N), 1, 1)
        matrices[:, 0, 0] = torch.where(uniforms_NU[:, 0] < strength_N, -1.0, 1.0)
        return matrices
