"""From a picture of a user's own to pictures as a network's data set has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashioncnn.photos.files import stretched

# What reading may leave of a photograph's shorter side: twice what is looked at.
PHOTOGRAPH_SIDE = 320


@dataclass(frozen=True)
class Prepared:
    """Pictures `images_NHWC` (k, h, w, c) of one file as the data set's own are.

    The answer is their mean's. `warnings` say what seems wrong with the file; where it is
    `doubtful`, no answer is sure. Photograph and outline are what led to the pictures.
    """

    images_NHWC: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()
    doubtful: bool = False
    photo_HWC: NDArray[np.uint8] | None = None
    outline: NDArray[np.bool_] | None = None


def wanted_side(height: int, width: int, photographs: bool) -> int:
    """Return how many pixels of a file's shorter side are of use; see `files.read_picture`."""
    return PHOTOGRAPH_SIDE if photographs else 2 * max(height, width)


def prepare(
    picture: Image.Image, shape: tuple[int, int, int], photographs: bool, keep_steps: bool = False
) -> Prepared:
    """Make of a picture what a network of `shape` (channels, height, width) takes.

    Where the network is for `photographs` of garments, they are converted (`photos.convert`), and
    grey pictures of the very size are taken as they are; else the picture is resized. Photograph
    and outline are kept where `keep_steps`: they are thirty times as large.
    """
    channels, height, width = shape
    as_it_is = picture.mode == "L" and picture.size == (width, height)
    if photographs and not as_it_is:
        # Here, as OpenCV is an extra, and takes a while to import.
        from fashioncnn.photos.convert import DOUBTS, convert

        found = convert(picture)
        doubtful = any(words in DOUBTS for words in found.warnings)
        steps = (found.photo_HWC, found.outline) if keep_steps else (None, None)
        return Prepared(found.images_NHWC, found.warnings, doubtful, *steps)
    mode = "L" if channels == 1 else "RGB"
    pixels = np.array(stretched(picture, height, width).convert(mode), np.uint8)
    return Prepared(pixels.reshape(1, height, width, channels))
