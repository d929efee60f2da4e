"""Whether a picture is drawn or written by a program: text, windows of a screen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fashioncnn.photos.colours import UInt8

# Of 255: what is one even colour, and what is a hard edge.
EVEN, HARD = 10, 60
# Shares of the picture, and the number of small pieces on its ground, from which on it is drawn:
# chosen on photographs, on their garments laid on white, and on drawings (docs/lab-notes.md).
TWO_COLOURS, HARD_EDGES, PIECES = 0.65, 0.02, 30
# In pixels, and as a share of the picture: what is a small piece.
SMALLEST, LARGEST = 6, 0.01
# Pixels that are counted at once.
PART = 1 << 20


def looks_drawn(rgb_HWC: UInt8) -> bool:
    """Say whether the picture is two even colours, hard edges, and many small pieces, as letters.

    A photograph has grain, folds and light. Where a garment is cut out and laid on white, it is one
    piece.
    """
    if _edges(rgb_HWC).mean() <= HARD_EDGES:
        return False
    pixels_N3 = rgb_HWC.reshape(-1, 3)
    ground = _commonest(pixels_N3)
    rest_N3 = pixels_N3[_away(pixels_N3, ground) > EVEN]
    if len(rest_N3):
        rest_N3 = rest_N3[_away(rest_N3, _commonest(rest_N3)) > EVEN]
    if len(rest_N3) > (1 - TWO_COLOURS) * len(pixels_N3):
        return False
    on_ground = (_away(rgb_HWC, ground) > HARD).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(on_ground, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int(((areas >= SMALLEST) & (areas < LARGEST * len(pixels_N3))).sum()) >= PIECES


def _edges(rgb_HWC: UInt8) -> NDArray[np.bool_]:
    """Return where a pixel differs much from the one to its left or above."""
    edges = np.zeros(rgb_HWC.shape[:2], np.bool_)
    edges[:, 1:] = _away(rgb_HWC[:, 1:], rgb_HWC[:, :-1]) > HARD
    edges[1:] |= _away(rgb_HWC[1:], rgb_HWC[:-1]) > HARD
    return edges


def _commonest(rgb_N3: UInt8) -> UInt8:
    """Return the commonest colour (3,): the median of those that fall into the fullest bin."""
    bins = np.zeros(len(rgb_N3), np.uint16)
    for channel in range(3):
        bins <<= 5
        bins |= rgb_N3[:, channel] >> 3
    # In parts, as numpy counts in 8 bytes a pixel.
    counts = sum(
        np.bincount(bins[start : start + PART], minlength=1 << 15)
        for start in range(0, len(bins), PART)
    )
    fullest = rgb_N3[bins == np.argmax(counts)]
    return np.asarray(np.median(fullest, axis=0), np.uint8)


def _away(rgb: UInt8, other: UInt8) -> UInt8:
    """Return how far pixels are from others, or from a colour, in the channel that differs most."""
    furthest = np.zeros(rgb.shape[:-1], np.uint8)
    # By channel, in 8 bits: a photograph may have 50 million pixels.
    for channel in range(3):
        one, another = rgb[..., channel], other[..., channel]
        np.maximum(furthest, np.maximum(one, another) - np.minimum(one, another), out=furthest)
    return furthest
