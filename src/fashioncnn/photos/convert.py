"""From a photograph of one garment to pictures as Fashion-MNIST has them.

Find the outline, negate and set the shades, cut out, fit to 28 x 28, light on black. What each step
is worth stands in docs/how-to/photographs.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashioncnn.photos.colours import Mask, UInt8
from fashioncnn.photos.drawn import looks_drawn
from fashioncnn.photos.outline import Outline, find_outline, touches_frame

# The outline is sought in so many pixels of the longest side.
WORKING_SIDE = 160
PICTURE_SIDE = 28
# Of the height, one picture for each. The data set's shoes and bags are wide, so the first is as it
# is; its garments are hardly ever wider than high, and sleeves that lie spread are.
WIDEST = (math.inf, 1.0, 0.85)
# Where the median shade of the garment is put, at the least and at the most.
DARKEST, LIGHTEST = 120.0, 190.0
TOO_DARK = 40

NOTHING_FOUND = "no garment found: photograph one garment on a plain ground"
HARDLY_FOUND = (
    "hardly told from its ground: photograph one garment on a plain ground of another shade"
)
DRAWN = "looks drawn or written: photograph one garment on a plain ground"
SEVERAL_PIECES = "several pieces: photograph one alone; of shoes, one from its side"
DARK = "too dark"
CUT_OFF = "cut off at the edge: leave room around it"
# With these no answer is sure, whatever a network says.
DOUBTS = (NOTHING_FOUND, HARDLY_FOUND, DRAWN, SEVERAL_PIECES)


@dataclass(frozen=True)
class Converted:
    """`images_NHWC` (6, 28, 28, 1), light on black, what led to them, and what the user is told.

    They are by WIDEST, then the same mirrored. `photo_HWC` is the photograph as it was worked on,
    `outline` the garment in it.
    """

    images_NHWC: UInt8
    photo_HWC: UInt8
    outline: Mask
    warnings: tuple[str, ...]


def convert(photo: Image.Image) -> Converted:
    """Convert a photograph; see `photos.files.read_picture`."""
    whole_HWC = np.asarray(photo.convert("RGB"))
    rgb_HWC = shrunk(whole_HWC)
    found = find_outline(rgb_HWC)
    used = found.mask if found.mask.any() else np.ones_like(found.mask)
    garment = cut_out(toned(negated(rgb_HWC), used), used)
    by_width = np.stack([fitted(garment, widest) for widest in WIDEST])
    return Converted(
        with_mirrored(by_width)[..., None],
        rgb_HWC,
        found.mask,
        _warnings(rgb_HWC, found, looks_drawn(whole_HWC)),
    )


def _warnings(rgb_HWC: UInt8, found: Outline, drawn: bool) -> tuple[str, ...]:
    wrong = {
        NOTHING_FOUND: not found.mask.any(),
        HARDLY_FOUND: found.mask.any() and not found.certain,
        DRAWN: drawn,
        SEVERAL_PIECES: found.pieces > 1,
        DARK: _brightness(rgb_HWC) < TOO_DARK,
        CUT_OFF: touches_frame(found.mask),
    }
    return tuple(words for words, true in wrong.items() if true)


def _brightness(rgb_HWC: UInt8) -> float:
    """Return the mean of what is not black: a picture is read as black where it is transparent."""
    seen = rgb_HWC.any(axis=2)
    return float(rgb_HWC[seen].mean()) if seen.any() else 0.0


def with_mirrored(images_NHW: UInt8) -> UInt8:
    """Return the pictures, then their mirror images."""
    return np.concatenate([images_NHW, images_NHW[:, :, ::-1]])


def shrunk(rgb_HWC: UInt8) -> UInt8:
    """Bring the longest side to WORKING_SIDE by averaging; smaller pictures are enlarged."""
    height, width = rgb_HWC.shape[:2]
    factor = WORKING_SIDE / max(height, width)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb_HWC, size, interpolation=how), np.uint8)


def negated(rgb_HWC: UInt8) -> NDArray[np.float32]:
    """Return 255 less the lightness (h, w): the data set's pictures are negatives."""
    return 255 - np.asarray(cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2LAB), np.float32)[..., 0]


def toned(shades_HW: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Shift the shades so that the median inside of `mask` is no extreme."""
    median = float(np.median(shades_HW[mask]))
    shifted = shades_HW - median + min(max(median, DARKEST), LIGHTEST)
    return np.asarray(np.clip(shifted, 1, 255), np.float32)


def cut_out(shades_HW: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Cut the garment out, on black."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (shades_HW * mask)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fitted(garment_HW: NDArray[np.float32], widest: float) -> UInt8:
    """Shrink to a longest edge of 28, no wider than `widest` of the height, in the middle."""
    height, width = garment_HW.shape
    used_width = min(float(width), widest * height)
    factor = PICTURE_SIDE / max(height, used_width)
    columns, rows = max(1, round(used_width * factor)), max(1, round(height * factor))
    small = cv2.resize(garment_HW, (columns, rows), interpolation=cv2.INTER_AREA)
    top, left = (PICTURE_SIDE - rows) // 2, (PICTURE_SIDE - columns) // 2
    picture = np.zeros((PICTURE_SIDE, PICTURE_SIDE), np.uint8)
    picture[top : top + rows, left : left + columns] = np.clip(np.rint(small), 0, 255)
    return picture
