"""As photographed: training pictures as the conversion of a photograph would show them."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from fashioncnn.data.augmentations.base import SometimesAugmentation
from fashioncnn.data.augmentations.geometry import GROUND, each, low_noise, positions

# Low-frequency noise has so many values a side.
NOISE_SIDE = 5
POSE, SHADES = 5, 6
LARGEST_ANGLE_DEGREES = 15.0


class Photographed(SometimesAugmentation):
    """`strength` is the probability that a picture gets a new pose, outline and new shades.

    For light things on black ground, as the conversion in `photos` leaves them: turned, wider,
    flared and leaning; with an outline as a segmentation draws it; lighter or darker, of more or
    less contrast, now and then negated, its texture softened, lit from one side.
    """

    key = "photographed_probability"
    strength = Annotated[
        float,
        Field(ge=0, le=1, description="Of looking like a photograph, its ground taken away."),
    ]
    uniforms = 1 + POSE + SHADES + 2 * NOISE_SIDE**2

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        return _photographed(images_NCHW, uniforms_NU)


def _photographed(images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
    pose, shades_u, noise = torch.split(uniforms_NU, [POSE, SHADES, 2 * NOISE_SIDE**2], 1)
    noise_N2HW = low_noise(noise.view(-1, 2, NOISE_SIDE, NOISE_SIDE), images_NCHW.shape[-2:])
    shades = images_NCHW.float()
    garment = (shades.amax(1, keepdim=True) > GROUND).float()
    moved = _posed(torch.cat([shades * garment, garment], 1), pose)
    shades, garment = moved[:, :-1] / moved[:, -1:].clamp(min=0.05), moved[:, -1:]
    garment = _redrawn(garment, noise_N2HW[:, :1], shades_u[:, 4])
    shades = _toned(shades, garment, noise_N2HW[:, 1:], shades_u)
    return (shades.clamp(1, 255) * garment).round().to(torch.uint8)


def _posed(channels_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
    """Turn, make wider or narrower, wider below or above, lean; the last channel is the outline."""
    turn, width, _, flare, lean = (uniforms_NU * 2 - 1).unbind(1)
    width_px = channels_NCHW.shape[-1]
    columns = (channels_NCHW[:, -1].amax(1) > 0.5).float().sum(1).clamp(min=4)
    # No wider than the picture.
    wider = torch.minimum(torch.exp(0.1 + 0.25 * width), width_px / columns).clamp(min=0.7)
    taller = torch.exp(-0.06 * uniforms_NU[:, 2])
    y, x = positions(channels_NCHW.shape[-2:], turn.device)
    y = y / each(taller)
    x = x / (each(wider) * (1 + each(0.15 * flare) * y)) + each(0.08 * lean) * y
    angle = each(torch.deg2rad(LARGEST_ANGLE_DEGREES * turn))
    cos, sin = angle.cos(), angle.sin()
    grid = torch.stack([cos * x - sin * y, sin * x + cos * y], -1)
    return functional.grid_sample(channels_NCHW, grid, align_corners=False)


def _redrawn(garment_N1HW: Tensor, noise_N1HW: Tensor, amount_N: Tensor) -> Tensor:
    """Redraw the outline as a segmentation of a photograph would: wobbly, a little off."""
    soft = functional.avg_pool2d(garment_N1HW, 3, 1, 1, count_include_pad=False)
    level = 0.5 + 0.35 * noise_N1HW * amount_N[:, None, None, None]
    return (((soft + garment_N1HW) / 2 - level) * 3 + 0.5).clamp(0, 1)


def _toned(
    shades_NCHW: Tensor, garment_N1HW: Tensor, noise_N1HW: Tensor, uniforms_NU: Tensor
) -> Tensor:
    """Give the garment another mean shade, contrast (also negated), texture and light."""
    centre, contrast, negate, texture, _, light = (
        one[:, None, None, None] for one in uniforms_NU.unbind(1)
    )
    weight = garment_N1HW.sum((2, 3), keepdim=True).clamp(min=1)
    mean = (shades_NCHW * garment_N1HW).sum((2, 3), keepdim=True) / weight
    near = functional.avg_pool2d(shades_NCHW * garment_N1HW, 3, 1, 1)
    near = near / functional.avg_pool2d(garment_N1HW, 3, 1, 1).clamp(min=0.1)
    softened = near + (shades_NCHW - near) * (0.4 + 0.6 * texture)
    gain = (0.3 + contrast) * torch.where(negate < 0.15, -1.0, 1.0)
    middle = (mean + 60 * (2 * centre - 1)).clamp(60, 235)
    return middle + gain * (softened - mean) + 20 * noise_N1HW * light
