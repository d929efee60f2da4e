"""What the augmentations that redraw pictures share: where things are, and how they are sampled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

# Greys above this are garment, not ground.
GROUND = 12


def each(values_N: Tensor) -> Tensor:
    """Return (n, 1, 1): one value a picture, for all of its pixels."""
    return values_N[:, None, None]


def positions(size: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the rows' y (1, h, w) and the columns' x (1, h, w), in -1..1."""
    at_y, at_x = ((torch.arange(side, device=device) * 2 + 1) / side - 1 for side in size)
    y, x = torch.meshgrid(at_y, at_x, indexing="ij")
    return y[None], x[None]


def low_noise(uniforms_NCKK: Tensor, size: Sequence[int]) -> Tensor:
    """Return noise (n, c, h, w) of low frequency, in about -1..1, of k x k uniform numbers each."""
    return functional.interpolate(
        uniforms_NCKK * 2 - 1, list(size), mode="bicubic", align_corners=True
    )


def sampled(images_NCHW: Tensor, x_NHW: Tensor, y_NHW: Tensor) -> Tensor:
    """Return uint8 pictures whose pixels are those at these positions; black outside."""
    size = (len(images_NCHW), *images_NCHW.shape[2:])
    grid = torch.stack([x_NHW.expand(size), y_NHW.expand(size)], -1)
    moved = functional.grid_sample(images_NCHW.float(), grid, align_corners=False)
    return moved.round().clamp(0, 255).to(torch.uint8)


def fitted(images_NCHW: Tensor) -> Tensor:
    """Cut uint8 pictures to what is no ground, fit its longest edge to theirs, and centre it."""
    covered = images_NCHW.amax(1) > GROUND
    y, x = positions((covered.shape[1], covered.shape[2]), covered.device)
    top, bottom = _extent(covered.any(2), y[0, :, 0])
    left, right = _extent(covered.any(1), x[0, 0])
    scale = torch.maximum(bottom - top, right - left) / 2
    return sampled(
        images_NCHW,
        each((left + right) / 2) + each(scale) * x,
        each((top + bottom) / 2) + each(scale) * y,
    )


def _extent(covered_NL: Tensor, places_L: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the last place that is covered, outer edges; all where none is."""
    half = 1 / len(places_L)
    first = torch.where(covered_NL, places_L, 1.0).amin(1) - half
    last = torch.where(covered_NL, places_L, -1.0).amax(1) + half
    none = ~covered_NL.any(1)
    return torch.where(none, -1.0, first), torch.where(none, 1.0, last)
