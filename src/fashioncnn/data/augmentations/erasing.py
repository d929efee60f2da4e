"""Random erasing: a random rectangle filled with noise (Zhong et al., arXiv 1708.04896, sec. 3)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import PixelAugmentation

SMALLEST_AREA, LARGEST_AREA = 0.02, 0.4
SMALLEST_ASPECT = 0.3


class RandomErasing(PixelAugmentation):
    """`strength` is the probability that a picture loses a rectangle.

    Its area is 2 % to 40 % of the picture and its aspect ratio 0.3 to 1/0.3, as in the paper.
    It is filled with the picture's mean: the paper's table 6 finds that as good as noise.
    """

    key = "erasing_probability"
    strength = Annotated[float, Field(ge=0, le=1, description="Of losing one rectangle.")]
    uniforms = 5

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Erase where the first uniform number lies below the probability."""
        chance, area, aspect, x, y = uniforms_NU.unbind(1)
        height, width = images_NCHW.shape[-2:]
        share = SMALLEST_AREA + (LARGEST_AREA - SMALLEST_AREA) * area
        # Log-uniform, so that tall and wide rectangles are equally likely.
        ratio = SMALLEST_ASPECT ** (2 * aspect - 1)
        erased_height = (share * ratio).sqrt().clamp(max=1) * height
        erased_width = (share / ratio).sqrt().clamp(max=1) * width
        rows = _within(height, y, erased_height)
        columns = _within(width, x, erased_width)
        inside = rows[:, :, None] & columns[:, None, :] & (chance < strength_N)[:, None, None]
        mean = images_NCHW.float().mean(dim=(1, 2, 3), keepdim=True).round().to(images_NCHW.dtype)
        return torch.where(inside.unsqueeze(1), mean, images_NCHW)


def _within(length: int, uniform_N: Tensor, extent_N: Tensor) -> Tensor:
    """Return (n, length): which positions an interval of `extent_N` at a random place covers."""
    start = uniform_N * (length - extent_N)
    positions = torch.arange(length, device=uniform_N.device) + 0.5
    return (positions >= start[:, None]) & (positions < (start + extent_N)[:, None])
