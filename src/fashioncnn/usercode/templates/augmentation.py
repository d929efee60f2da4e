"""An augmentation of my own, for fashioncnn.

fashioncnn check FILE.py     does it leave its input, and draw nothing by itself?
fashioncnn train FILE.toml   train with it; the number in [augmentation.own] is its strength
"""

import torch
from torch import Tensor


def my_augmentation(images: Tensor, uniforms: Tensor, strength: Tensor) -> Tensor:
    """Make pictures brighter or darker by up to `strength`, 0 being off.

    images: uint8 (n, channels, h, w); uniforms: 8 random numbers from 0 to 1 for each picture;
    strength: one number for each picture. Returns uint8 pictures of the same shape.
    """
    factors = 1 + strength * (2 * uniforms[:, 0] - 1)
    brighter = images.float() * factors[:, None, None, None]
    return brighter.round().clamp(0, 255).to(torch.uint8)
