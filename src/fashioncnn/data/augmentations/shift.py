"""Shift by whole pixels along each axis: pictures stay sharp, as no pixel is interpolated."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from fashioncnn.data.augmentations.base import PixelAugmentation


class Shift(PixelAugmentation):
    """`strength` is the largest shift along each axis, in whole pixels; what enters is black."""

    key = "shift_pixels"
    strength = Annotated[
        int,
        Field(
            ge=0,
            le=224,
            description="Shifts along each axis are whole numbers between minus this and this.",
        ),
    ]
    uniforms = 2

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Shift down and to the right by every whole number from -strength to strength."""
        pixels = strength_N.floor()[:, None]
        shifts = (uniforms_NU * (2 * pixels + 1)).floor() - pixels
        for axis, shift_N in zip((2, 3), shifts.unbind(1), strict=True):
            images_NCHW = _along(images_NCHW, axis, shift_N)
        return images_NCHW


def _along(images_NCHW: Tensor, axis: int, shift_N: Tensor) -> Tensor:
    """Shift each picture along `axis`; one pass for each distance, all in plain copies."""
    length = images_NCHW.shape[axis]
    largest = int(shift_N.abs().max()) if len(shift_N) else 0
    margins = [0, 0, largest, largest] if axis == 2 else [largest, largest, 0, 0]
    padded = functional.pad(images_NCHW, margins)
    result = images_NCHW
    for distance in range(-largest, largest + 1):
        if distance:
            moved = padded.narrow(axis, largest - distance, length)
            result = torch.where((shift_N == distance)[:, None, None, None], moved, result)
    return result
