"""Test-time augmentation: the same picture seen in several ways, and the answers averaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from fashioncnn.data.images import LabelledImages

ViewsName = Literal["plain", "flip", "flip-shift"]

# (mirrored, pixels down, pixels to the right)
View = tuple[bool, int, int]
VIEWS: dict[ViewsName, tuple[View, ...]] = {
    "plain": ((False, 0, 0),),
    "flip": ((False, 0, 0), (True, 0, 0)),
    "flip-shift": tuple(
        (mirrored, pixels, pixels) for mirrored in (False, True) for pixels in (0, 1, -1)
    ),
}


def seen(pictures: LabelledImages, view: View) -> LabelledImages:
    """Return the pictures mirrored and shifted as `view` says; what enters is black."""
    mirrored, down, right = view
    images = pictures.images_NHWC[:, :, ::-1] if mirrored else pictures.images_NHWC
    if down or right:
        margin = max(abs(down), abs(right))
        height, width = images.shape[1:3]
        padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        images = padded[
            :, margin - down : margin - down + height, margin - right : margin - right + width
        ]
    return replace(pictures, images_NHWC=np.ascontiguousarray(images))
