"""Where the garment is in a photograph: GrabCut, asked twice, and what to do where it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fashioncnn.photos.colours import BORDER_WINDOW, Mask, UInt8, clusters, contrast

# Of the longest side: what is surely background.
FRAME_SHARE = 0.02
# Shares of the photograph: less than the first is taken for a mistake of the first attempt.
SMALLEST_GARMENT, NOTHING = 0.06, 0.01
# Of the first outline: the second one counts where it is so much smaller.
MUCH_SMALLER = 0.85
# Of the garment: smaller holes are filled whatever they look like.
LARGE_HOLE = 0.03
# Of the largest piece: smaller ones are no part of the garment.
PIECE_SHARE = 0.3
# Of all that was found: with less, the garment is one bit of many.
GARMENT_SHARE = 0.9
ROUNDS = 3
# Of what looks like the ground: squared Mahalanobis distance to its nearest cluster. Every third
# pixel outside says what that is; where there are few, nothing is said.
LIKE_GROUND = 6.0
OUTSIDE_STEP, FEWEST_OUTSIDE = 3, 200
# An edge is faint below so much contrast in Lab, or below a share of that of the garment's edge.
FAINT_CONTRAST, FAINT_SHARE = 6.0, 0.4
# Pixels: smaller pieces are left out whatever they end like. And the share of a small garment.
SMALLEST_PIECE, SMALLEST_LEFT = 10, 0.015
# From a good beginning, fewer do.
FEWER_ROUNDS = 2
# Standard deviation in Lab of 0 to 255: below it a sheet is blank.
BLANK = 2.0


@dataclass(frozen=True)
class Outline:
    """Where a garment is: `mask` (h, w), of so many `pieces`.

    It is not `certain` where GrabCut found next to nothing by itself, or many scattered bits: of
    things that are hardly told from their ground, of noise, and of writing.
    """

    mask: Mask
    pieces: int
    certain: bool = True


def find_outline(rgb_HWC: UInt8) -> Outline:
    """Find the garment.

    A frame around the photograph is background, and GrabCut (Rother et al., ACM ToG 23, 2004)
    decides about the rest. It is asked again with thin lines blurred away, as joints between tiles
    hold pieces of the floor together: an outline that lies within the first one then counts. If
    next to nothing remains, it starts from what the colours of the edge and those of the middle
    say. At last, what is ground is taken away. Nothing at all is an outline without pixels.
    """
    lab = _lab(rgb_HWC)
    if lab.std((0, 1)).max() < BLANK:
        return Outline(np.zeros(lab.shape[:2], np.bool_), 0)
    anywhere = np.full(lab.shape[:2], cv2.GC_PR_FGD, np.uint8)
    found = _whole(_grab_cut(lab, anywhere), lab)
    if found.mask.mean() < SMALLEST_GARMENT:
        marks = _by_colour(lab)
        for attempt in (_grab_cut(lab, marks), marks == cv2.GC_PR_FGD):
            found = replace(_whole(_smoothed(attempt), lab), certain=False)
            if found.mask.mean() >= SMALLEST_GARMENT:
                break
    else:
        without_lines = _lab(_uint8(cv2.medianBlur(rgb_HWC, 5)))
        inner = _whole(_grab_cut(without_lines, anywhere), without_lines)
        smaller = SMALLEST_GARMENT < inner.mask.mean() < MUCH_SMALLER * found.mask.mean()
        if smaller and (inner.mask & found.mask).sum() > 0.9 * inner.mask.sum():
            found = inner
    if found.mask.mean() < NOTHING:
        return Outline(np.zeros_like(found.mask), 0)
    return without_ground(found, lab)


def without_ground(found: Outline, lab_HWC: UInt8) -> Outline:
    """Take away what is ground: it looks like what lies outside, and no edge is between.

    So between the legs of trousers, within the handle of a bag, and around something small, where
    GrabCut has taken the light of the middle for the thing. It is asked again with that marked as
    background. What it then leaves out, but ends sharply, stays: a part of the garment that is of
    the ground's colour.
    """
    # But for what is blurred, or in the shadow, at the edge.
    outside = np.asarray(cv2.erode((~found.mask).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    if outside.sum() < FEWEST_OUTSIDE:
        return found
    ground = clusters(lab_HWC[outside][::OUTSIDE_STEP])
    alike = np.min([one.distance(lab_HWC) for one in ground], axis=0) < LIKE_GROUND
    if (found.mask & ~alike).mean() < NOTHING:
        return found
    marks = _uint8(np.where(found.mask & ~alike, cv2.GC_PR_FGD, cv2.GC_PR_BGD))
    inner = _whole(_grab_cut(lab_HWC, marks, FEWER_ROUNDS) & found.mask, lab_HWC)
    if not inner.mask.any():
        return found
    least = max(FAINT_CONTRAST, FAINT_SHARE * (contrast(lab_HWC, inner.mask, ~inner.mask) or 0.0))
    kept = inner.mask.copy()
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(
        (found.mask & ~inner.mask).astype(np.uint8), connectivity=4
    )
    for piece in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= SMALLEST_PIECE) + 1:
        around = _around(stats[piece])
        part = np.asarray(pieces[around] == piece)
        edge = contrast(lab_HWC[around], part, ~found.mask[around])
        if edge is not None and edge > least:
            kept[around] |= part
    left = _whole(kept, lab_HWC)
    if left.pieces > found.pieces or left.mask.mean() < SMALLEST_LEFT:
        return found
    return replace(left, certain=found.certain)


def touches_frame(mask: Mask) -> bool:
    """Say whether a good part of one side of the frame is garment: it goes on outside."""
    frame = _frame(mask.shape)
    inner = mask[frame:-frame, frame:-frame]
    return any(side.mean() > 0.15 for side in (inner[0], inner[-1], inner[:, 0], inner[:, -1]))


def _frame(shape: tuple[int, ...]) -> int:
    return max(2, round(FRAME_SHARE * max(shape[:2])))


def _lab(rgb_HWC: UInt8) -> UInt8:
    return _uint8(cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2LAB))


def _uint8(values: object) -> UInt8:
    return np.asarray(values, np.uint8)


def _grab_cut(lab_HWC: UInt8, start: UInt8, rounds: int = ROUNDS) -> Mask:
    """Run GrabCut from `start` (OpenCV's GC_ values), the frame set to background."""
    marks = start.copy()
    frame = _frame(marks.shape)
    marks[:frame] = marks[-frame:] = marks[:, :frame] = marks[:, -frame:] = cv2.GC_BGD
    if not (marks == cv2.GC_PR_FGD).any():
        return np.zeros(marks.shape, np.bool_)
    # The same photograph has the same outline.
    cv2.setRNGSeed(0)
    background, garment = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(lab_HWC, marks, (0, 0, 1, 1), background, garment, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray(marks == cv2.GC_PR_FGD, np.bool_)


def _by_colour(lab_HWC: UInt8) -> UInt8:
    """Mark what looks more like the middle than like the edge, and lies near the middle."""
    lab = _uint8(cv2.bilateralFilter(lab_HWC, 0, 12, 3))
    height, width = lab.shape[:2]
    y, x = np.mgrid[:height, :width]
    away = ((y - (height - 1) / 2) / (height / 2)) ** 2 + ((x - (width - 1) / 2) / (width / 2)) ** 2
    band = max(2, round(0.06 * max(height, width)))
    edge = np.ones((height, width), np.bool_)
    edge[band:-band, band:-band] = False
    ratio = _unlikeliness(lab, lab[edge]) - _unlikeliness(lab, lab[away < 0.25])
    likely = np.clip(ratio, -8, 8) + 3 * (0.6 - away) > 0
    return _uint8(np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD))


def _unlikeliness(lab_HWC: UInt8, colours_N3: UInt8) -> NDArray[np.float64]:
    """Return minus the log-likelihood (h, w) of every pixel, by the nearest of the clusters."""
    return np.asarray(np.min([one.unlikeliness(lab_HWC) for one in clusters(colours_N3)], axis=0))


def _around(box: NDArray[np.int32]) -> tuple[slice, slice]:
    """Return the rows and columns of a component (left, top, width, height) with some room."""
    left, top, width, height = (int(one) for one in box[:4])
    room = BORDER_WINDOW
    rows = slice(max(0, top - room), top + height + room)
    return rows, slice(max(0, left - room), left + width + room)


def _smoothed(mask: Mask) -> Mask:
    """Take away what is thinner than 3 pixels, then close gaps of up to 5."""
    disc, larger = (
        _uint8(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))) for size in (3, 5)
    )
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc)
    padded = np.pad(opened, 5)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, larger)[5:-5, 5:-5]
    return np.asarray(closed > 0, np.bool_)


def _whole(mask: Mask, lab_HWC: UInt8) -> Outline:
    """Keep the largest piece and those not much smaller; fill holes; count the pieces.

    A large hole that looks like the background stays, as between the legs of trousers.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return Outline(np.zeros_like(mask), 0)
    kept = np.flatnonzero(areas >= PIECE_SHARE * areas.max()) + 1
    certain = bool(areas[kept - 1].sum() >= GARMENT_SHARE * areas.sum())
    pieces = np.isin(labels, kept)
    contours, _ = cv2.findContours(
        pieces.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outer = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(outer, contours, -1, (1,), -1)
    filled: Mask = outer > 0
    around = lab_HWC[~filled]
    if len(around) < 50:
        return Outline(filled, len(kept), certain)
    _, holes, hole_stats, _ = cv2.connectedComponentsWithStats(
        (filled & ~pieces).astype(np.uint8), connectivity=4
    )
    for hole in range(1, len(hole_stats)):
        inside = np.asarray(holes == hole)
        large = hole_stats[hole, cv2.CC_STAT_AREA] >= LARGE_HOLE * filled.sum()
        if large and _alike(lab_HWC[inside], around):
            filled &= ~inside
    return Outline(filled, len(kept), certain)


def _alike(some_N3: UInt8, others_N3: UInt8) -> bool:
    """Say whether the colours of `some` are common among `others`."""
    middle = np.median(some_N3, axis=0)
    distance = np.abs(others_N3.astype(np.float32) - middle).max(1)
    return bool((distance < 12).mean() > 0.2)
