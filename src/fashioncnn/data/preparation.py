"""From uint8 pictures to what a network takes: resized and normalised, in whole tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Preparation:
    """`image_size` in pixels; pixels, scaled to 0..1, become (pixel - mean) / std."""

    image_size: int = 28
    pixel_mean: float = 0.0
    pixel_std: float = 1.0

    def __call__(self, images_NCHW: Tensor, affine_N23: Tensor | None = None) -> Tensor:
        """Prepare uint8 pictures (n, 1, h, w) as float32 (n, 1, image_size, image_size).

        `affine_N23` maps each output position to the position in the source that it shows, both
        in -1..1; outside the source is black. Resizing and transformation are one bilinear
        sampling. Without it, resizing is bilinear and repeats the border.
        """
        images = images_NCHW.float()
        size = (self.image_size, self.image_size)
        if affine_N23 is not None:
            images = functional.grid_sample(
                images, _positions(affine_N23, self.image_size), align_corners=False
            )
        elif images.shape[-2:] != size:
            images = functional.interpolate(images, size, mode="bilinear", align_corners=False)
        return images.mul_(1 / (255 * self.pixel_std)).sub_(self.pixel_mean / self.pixel_std)

    def of_grey(self, grey: float) -> float:
        """Return what a pixel of `grey`, 0 (black) to 1 (white), becomes."""
        return (grey - self.pixel_mean) / self.pixel_std


def _positions(affine_N23: Tensor, size: int) -> Tensor:
    """Return (n, size, size, 2): affine_grid's answer, by one matrix product for all pictures."""
    middle = (torch.arange(size, device=affine_N23.device) * 2 + 1) / size - 1
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    outputs_3P = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    sources = affine_N23.flatten(0, 1) @ outputs_3P
    return sources.view(-1, 2, size, size).permute(0, 2, 3, 1)


def as_uint8_NCHW(images_NHW: object, device: torch.device) -> Tensor:
    """Put uint8 pictures (n, h, w), a numpy array, on the device as (n, 1, h, w)."""
    return torch.as_tensor(images_NHW, device=device).unsqueeze(1)
