"""Spread sleeves: garments as they lie on a floor or a bed, not folded as a shop shows them."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import SometimesAugmentation
from fashioncnn.data.augmentations.geometry import GROUND, each, positions, sampled

# Where the shoulders are, in -1 (top) to 1.
SHOULDERS = -0.75


class SpreadSleeves(SometimesAugmentation):
    """`strength` is the probability that both sleeves of a garment are swung outwards.

    What lies outside the seams is turned about the shoulders by 5 to 35 degrees, and the whole is
    squeezed to fit. It is for classes with long sleeves: give its strength by class.
    """

    key = "spread_sleeves_probability"
    strength = Annotated[
        float,
        Field(ge=0, le=1, description="Of sleeves that lie spread; for classes that have some."),
    ]
    uniforms = 4

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        return _spread(images_NCHW, uniforms_NU)


def _spread(images_NCHW: Tensor, uniforms_N3: Tensor) -> Tensor:
    swing, seam_place, squeeze = uniforms_N3.unbind(1)
    columns = (images_NCHW.amax((1, 2)) > GROUND).float()
    # Of the width, in -1..1.
    half = (columns.sum(1) / images_NCHW.shape[-1]).clamp(min=0.2)
    angle = torch.deg2rad(5 + 30 * swing)
    seam = each(half * (0.5 + 0.2 * seam_place))
    # The frame must hold the sleeves' ends.
    reach = half + (1.2 - 0.2 * squeeze) * angle.sin()
    y, x = positions(images_NCHW.shape[-2:], swing.device)
    x = x * each((reach / 0.93).clamp(min=1))
    # The left sleeve is the right one's mirror image.
    folded, side = x.abs(), torch.where(x < 0, -1.0, 1.0)
    cos, sin = each(angle.cos()), each(angle.sin())
    across, down = folded - seam, y - SHOULDERS
    arm_x, arm_y = seam + cos * across - sin * down, SHOULDERS + sin * across + cos * down
    body = folded <= seam
    arm = ~body & (arm_x >= seam * 0.95)
    moved = sampled(images_NCHW, torch.where(body, x, side * arm_x), torch.where(body, y, arm_y))
    return moved * (body | arm)[:, None]
