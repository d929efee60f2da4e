"""Pairs: two of a thing beside each other, as shoes stand on a floor."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import Counterexample
from fashioncnn.data.augmentations.geometry import each, fitted, positions, sampled

LARGEST_ANGLE_DEGREES = 35.0


class Pair(Counterexample):
    """`strength` is the probability that a picture becomes a pair, and of no class.

    The two are mirror images, half as wide each; mostly they stand upright, the front up or down,
    and lean up to 35 degrees.
    """

    key = "pair_probability"
    strength = Annotated[
        float, Field(ge=0, le=1, description="Of two beside each other, of no class: shoes.")
    ]
    uniforms = 5

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        turn, lean, breadth, gap = uniforms_NU.unbind(1)
        y, x = positions(images_NCHW.shape[-2:], images_NCHW.device)
        # From the seam outwards, each half in -1..1; closer, they overlap a little.
        out = (x.abs() * 2 - 1) * each(0.85 + 0.3 * gap)
        quarter = torch.where(turn < 0.4, 0.5, torch.where(turn < 0.8, -0.5, 0.0))
        leaning = LARGEST_ANGLE_DEGREES / 180 * (2 * lean - 1)
        angle = each(torch.pi * (quarter + leaning))
        # Shoes are twice as long as high: upright, they keep their shape in half of the width.
        out = out * torch.where(each(quarter) == 0, 1.0, each(0.5 + 0.5 * breadth))
        tall = torch.where(each(quarter) == 0, 2.0, 1.0) * y
        return fitted(
            sampled(
                images_NCHW,
                angle.cos() * out - angle.sin() * tall,
                angle.sin() * out + angle.cos() * tall,
            )
        )
