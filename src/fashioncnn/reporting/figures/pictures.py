"""A data set's pictures as they are shown: in colour, or in grey with dark ink on white."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.figures.mosaic import GAP

# Greys below this are dark ground.
DARK = 64


def on_dark(images: NDArray[Any]) -> bool:
    """Say whether pictures (…, h, w, c) are light things on dark ground, by their corners."""
    corners = images[..., :: images.shape[-3] - 1, :: images.shape[-2] - 1, :]
    return bool(np.median(corners) < DARK)


def shown(image_HWC: NDArray[Any], dark: bool) -> NDArray[np.uint8]:
    """Return a picture's pixels (h, w, 3); in grey and light on `dark` ground, it is reversed."""
    pixels: NDArray[np.uint8] = np.rint(np.clip(image_HWC, 0, 255)).astype(np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    grey: NDArray[np.uint8] = np.repeat(255 - pixels if dark else pixels, 3, axis=2)
    return grey


def column(images_NHWC: NDArray[Any], rows: Sequence[int], dark: bool) -> NDArray[np.uint8]:
    """Return the pictures of `rows`, one below the other, with white between them."""
    height, width = images_NHWC.shape[1:3]
    whole = np.full((len(rows) * (height + GAP) + GAP, width + 2 * GAP, 3), 255, np.uint8)
    for place, row in enumerate(rows):
        top = GAP + place * (height + GAP)
        whole[top : top + height, GAP : GAP + width] = shown(images_NHWC[row], dark)
    return whole


def stretched(image: NDArray[Any]) -> NDArray[Any]:
    """Return any picture on the scale 0 to 255, from its least to its largest value."""
    low, high = float(image.min()), float(image.max())
    return np.asarray((image - low) * (255 / max(high - low, 1e-9)))
