"""Shuffled: the right pieces in the wrong places."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import Counterexample


class Shuffled(Counterexample):
    """`strength` is the probability that a picture's halves change places, and it is of no class.

    Upper and lower half do, in one of two cases left and right half as well: alone, those of
    trousers would be trousers again.
    """

    key = "shuffled_probability"
    strength = Annotated[
        float, Field(ge=0, le=1, description="Of halves in each other's place, of no class.")
    ]
    uniforms = 2

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        height, width = images_NCHW.shape[-2:]
        turned = images_NCHW.roll(height // 2, 2)
        also_sideways = (uniforms_NU[:, 0] < 0.5)[:, None, None, None]
        return torch.where(also_sideways, turned.roll(width // 2, 3), turned)
