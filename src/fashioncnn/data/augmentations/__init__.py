"""Random transformations of pictures, each with one strength that may differ by class.

A pixel augmentation changes the uint8 pictures; an affine one answers matrices, which are
multiplied, and what the first left is sampled once. Both take uniform random numbers, never draw
their own. A new one is a file here and a line in AUGMENTATIONS; its key is the recipe's key.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from fashioncnn.data.augmentations.erasing import RandomErasing
from fashioncnn.data.augmentations.flip import HorizontalFlip
from fashioncnn.data.augmentations.rotation import Rotation
from fashioncnn.data.augmentations.shift import Shift
from fashioncnn.data.augmentations.translation import Translation


class AffineAugmentation(Protocol):
    """Moves pixels: answers where each output position comes from."""

    uniforms: int
    largest: float

    def matrices(self, uniforms_NU: Tensor, strength_N: Tensor, source_size: int) -> Tensor:
        """Return (n, 3, 3): homogeneous output position to source position, both in -1..1."""
        ...


class PixelAugmentation(Protocol):
    """Changes the pixels of uint8 pictures, before they are sampled and normalised."""

    uniforms: int
    largest: float

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Return uint8 pictures of the same shape; the input stays as it is."""
        ...


PIXEL_AUGMENTATIONS: dict[str, PixelAugmentation] = {
    "horizontal_flip_probability": HorizontalFlip(),
    "shift_pixels": Shift(),
    "erasing_probability": RandomErasing(),
}
AFFINE_AUGMENTATIONS: dict[str, AffineAugmentation] = {
    "translation_pixels": Translation(),
    "rotation_degrees": Rotation(),
}
AUGMENTATIONS: dict[str, AffineAugmentation | PixelAugmentation] = {
    **PIXEL_AUGMENTATIONS,
    **AFFINE_AUGMENTATIONS,
}
