"""From uint8 pictures to what a network takes: resized and normalised, in whole tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Preparation:
    """`image_size` is (height, width); pixels, scaled to 0..1, become (pixel - mean) / std.

    Mean and std are one number for all channels, or one a channel.
    """

    image_size: tuple[int, int] = (28, 28)
    pixel_mean: tuple[float, ...] = (0.0,)
    pixel_std: tuple[float, ...] = (1.0,)

    def __call__(self, images_NCHW: Tensor, affine_N23: Tensor | None = None) -> Tensor:
        """Prepare uint8 pictures (n, c, h, w) as float32 (n, c, *image_size).

        `affine_N23` maps each output position to the position in the source that it shows, both
        in -1..1; outside the source is black. Resizing and transformation are one bilinear
        sampling. Without it, resizing is bilinear and repeats the border. Pictures that shrink
        are shrunk first, with each pixel the mean of those that it stands for.
        """
        images = images_NCHW.float()
        height, width = images.shape[-2:]
        if height > self.image_size[0] or width > self.image_size[1]:
            images = functional.interpolate(
                images, self.image_size, mode="bilinear", align_corners=False, antialias=True
            )
        if affine_N23 is not None:
            images = functional.grid_sample(
                images, _positions(affine_N23, self.image_size), align_corners=False
            )
        elif images.shape[-2:] != self.image_size:
            images = functional.interpolate(
                images, self.image_size, mode="bilinear", align_corners=False
            )
        if len(self.pixel_mean) == len(self.pixel_std) == 1:
            (mean,), (std,) = self.pixel_mean, self.pixel_std
            return images.mul_(1 / (255 * std)).sub_(mean / std)
        means, stds = (
            torch.tensor(values, device=images.device)[:, None, None]
            for values in (self.pixel_mean, self.pixel_std)
        )
        return images.mul_(1 / (255 * stds)).sub_(means / stds)

    def of_grey(self, grey: float) -> Tensor:
        """Return what a pixel of `grey`, 0 (black) to 1 (white), becomes, (1 or channels, 1, 1)."""
        means, stds = torch.tensor(self.pixel_mean), torch.tensor(self.pixel_std)
        return ((grey - means) / stds)[:, None, None]

    def undo(self, images_NCHW: Tensor) -> NDArray[np.uint8]:
        """Return prepared pictures as uint8 (n, h, w, c), to be shown."""
        means, stds = torch.tensor(self.pixel_mean), torch.tensor(self.pixel_std)
        greys = images_NCHW * stds[:, None, None] + means[:, None, None]
        bytes_NCHW = (greys * 255).round().clamp(0, 255).to(torch.uint8)
        shown: NDArray[np.uint8] = bytes_NCHW.permute(0, 2, 3, 1).contiguous().numpy()
        return shown


def _positions(affine_N23: Tensor, size: tuple[int, int]) -> Tensor:
    """Return (n, h, w, 2): affine_grid's answer, by one matrix product for all pictures."""
    rows, columns = (
        (torch.arange(side, device=affine_N23.device) * 2 + 1) / side - 1 for side in size
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    outputs_3P = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    sources = affine_N23.flatten(0, 1) @ outputs_3P
    return sources.view(-1, 2, *size).permute(0, 2, 3, 1)


def as_uint8_NCHW(images_NHWC: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Put uint8 pictures (n, h, w, c) on the device as (n, c, h, w)."""
    images = torch.as_tensor(images_NHWC, device=device).permute(0, 3, 1, 2).contiguous()
    # Grey pictures are not copied: the view only gives the axis of one channel its usual stride.
    return images.view(images.shape)
