"""Drawn: shapes of nothing in particular, as a segmentation finds them where no garment is."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import Counterexample
from fashioncnn.data.augmentations.geometry import each, fitted, low_noise, positions

# Low-frequency noise has so many values a side.
NOISE_SIDE = 6
SHAPES, SHAPE, SHADES = 3, 6, 8


class Drawn(Counterexample):
    """`strength` is the probability that a picture becomes a drawing, and of no class.

    One to three blobs, from diamonds over ellipses to rectangles, ragged or smooth, filled with a
    shade, stripes, checks, noise or a gradient of light, fitted to the picture.
    """

    key = "drawn_probability"
    strength = Annotated[
        float, Field(ge=0, le=1, description="Of shapes drawn by code, of no class.")
    ]
    uniforms = 1 + SHAPES * SHAPE + SHADES + 2 * NOISE_SIDE**2

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        size = (images_NCHW.shape[2], images_NCHW.shape[3])
        shapes, shades, noise = torch.split(
            uniforms_NU, [SHAPES * SHAPE, SHADES, 2 * NOISE_SIDE**2], 1
        )
        noise_N2HW = low_noise(noise.view(-1, 2, NOISE_SIDE, NOISE_SIDE), size)
        y, x = positions(size, images_NCHW.device)
        inside = torch.full_like(noise_N2HW[:, 0], -torch.inf)
        for number, one in enumerate(shapes.view(-1, SHAPES, SHAPE).unbind(1)):
            shape = _blob(x, y, one)
            present = each(one[:, 5] < 1.3 - 0.45 * number)
            inside = torch.where(present, torch.maximum(inside, shape), inside)
        ragged = each((shades[:, 0] * 2 - 1).clamp(min=0)) * noise_N2HW[:, 0]
        outline = ((inside + ragged) * 8).clamp(0, 1)
        filled = _filling(x, y, shades, noise_N2HW[:, 1])
        drawing = (filled.clamp(20, 255) * outline).round().to(torch.uint8)
        return fitted(drawing[:, None].expand_as(images_NCHW).contiguous())


def _blob(x_1HW: Tensor, y_1HW: Tensor, uniforms_NU: Tensor) -> Tensor:
    """Return (n, h, w): 1 in the middle of a superellipse, 0 on its edge, less outside."""
    across, down, width, height, turn, _ = uniforms_NU.unbind(1)
    at_x, at_y = x_1HW - each(across - 0.5), y_1HW - each(down - 0.5)
    angle = each(torch.pi * (turn - 0.5) * (turn < 0.7))
    cos, sin = angle.cos(), angle.sin()
    own_x = (cos * at_x - sin * at_y).abs() / each(0.2 + 0.6 * width)
    own_y = (sin * at_x + cos * at_y).abs() / each(0.2 + 0.6 * height)
    # From a diamond over an ellipse to a rectangle.
    power = each(1 + 9 * ((width + 7 * turn) % 1) ** 2)
    return 1 - (own_x.pow(power) + own_y.pow(power)).pow(1 / power)


def _filling(x_1HW: Tensor, y_1HW: Tensor, shades_NU: Tensor, noise_NHW: Tensor) -> Tensor:
    """Return shades (n, h, w)."""
    _, mean, stripes, along, checks, rough, light, grain = shades_NU.unbind(1)
    frequency = each(4 + 16 * along)
    angle = each(torch.pi * stripes * 3)
    first = (frequency * (angle.cos() * x_1HW + angle.sin() * y_1HW)).sin()
    second = (frequency * (angle.cos() * y_1HW - angle.sin() * x_1HW)).sin()
    pattern = torch.where(each(checks < 0.3), first * second, first)
    pattern = torch.where(each(stripes < 0.5), torch.zeros_like(pattern), pattern)
    # Fine grain without further draws: the pattern of a sine far above the pixels.
    fine = ((12.9898 * x_1HW + 78.233 * y_1HW) * 43758.5453 * (1 + each(grain))).sin()
    return (
        each(70 + 160 * mean)
        + 60 * pattern
        + each(80 * rough) * noise_NHW
        + each(60 * light) * y_1HW
        + each(60 * (grain - 0.6).clamp(min=0)) * fine
    )
