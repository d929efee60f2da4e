"""What was made of pictures of a user's own: each step, the answer, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.figures.pictures import on_dark, shown
from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colours, fitted, one_colour
from fashioncnn.reporting.style import class_colours, ink_of

# Inches.
SIDE, SMALL, GAP, BARS = 1.5, 0.72, 0.18, 1.3
ROW = SIDE + 0.5
UNSURE = "#a40e26"


@dataclass(frozen=True)
class Shown:
    """One picture: as it came, its outline, its renderings, the answer and what speaks for it."""

    name: str
    photo_HWC: NDArray[np.uint8] | None
    outline: NDArray[np.bool_] | None
    images_NHWC: NDArray[np.uint8]
    answer: str | None
    probabilities: Sequence[tuple[str, float]]
    warnings: Sequence[str]
    attribution_HW: NDArray[Any]
    nearest: tuple[NDArray[np.uint8], tuple[str, ...]]


def sheet(pictures: Sequence[Shown], class_names: Sequence[str]) -> Sheet:
    """Draw a row a picture."""
    drawn = Sheet()
    for number, one in enumerate(pictures):
        _row(drawn, one, class_names, number * ROW)
    return drawn


def _row(drawn: Sheet, one: Shown, class_names: Sequence[str], y: float) -> None:
    dark = on_dark(one.images_NHWC)
    said = one.answer or "not sure"
    title = "  ·  ".join([f"{Path(one.name).name}: {said}", *one.warnings])
    ink = ink_of(class_colours(class_names)[one.answer]) if one.answer else UNSURE
    drawn.words.append(Words(title, 0, y - 0.06, 9, "left", "bottom", ink, bold=True))
    x = 0.0
    if one.photo_HWC is not None and one.outline is not None:
        drawn.pictures.append(fitted(one.photo_HWC, x, y, SIDE))
        cut = np.where(one.outline[..., None], one.photo_HWC, 255).astype(np.uint8)
        drawn.pictures.append(fitted(cut, x + SIDE + GAP, y, SIDE))
        x += 2 * (SIDE + GAP)
    different = _different(one.images_NHWC)
    step = min(SMALL + 0.06, SIDE / len(different))
    for place, image in enumerate(different):
        drawn.pictures.append(fitted(shown(image, dark), x, y + place * step, step - 0.06))
    x += SMALL + GAP + 0.9
    _bars(drawn, one, class_names, x, y)
    x += BARS + GAP + 0.5
    largest = float(np.abs(one.attribution_HW).max()) or 1.0
    red = colours(one.attribution_HW, "RdBu_r", -largest, largest)
    drawn.pictures.append(fitted(red, x, y, SIDE * 0.8))
    drawn.words.append(Words("red spoke for it", x + SIDE * 0.4, y + SIDE * 0.82, 7, "middle"))
    x += SIDE * 0.8 + GAP
    images, labels = one.nearest
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        at = x + place * (SMALL + 0.2)
        drawn.pictures.append(fitted(shown(image, dark), at, y + 0.2, SMALL))
        drawn.words.append(Words(label, at + SMALL / 2, y + 0.22 + SMALL, 7, "middle"))
    if labels:
        drawn.words.append(Words("most alike in training", x, y + 0.14, 7, "left", "bottom"))


def _different(images_NHWC: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return each rendering once; mirror images, the second half, look the same to people."""
    unmirrored = images_NHWC[: max(1, len(images_NHWC) // 2)]
    return list({image.tobytes(): image for image in unmirrored}.values())


def _bars(drawn: Sheet, one: Shown, class_names: Sequence[str], x: float, y: float) -> None:
    step = min(0.34, SIDE / max(1, len(one.probabilities)))
    for row, (name, value) in enumerate(one.probabilities):
        middle, width = y + (row + 0.5) * step, max(0.01, BARS * value)
        bar = one_colour(class_colours(class_names)[name])
        drawn.pictures.append(Picture(bar, x, middle - 0.35 * step, width, 0.7 * step))
        drawn.words += [
            Words(name, x - 0.06, middle, 8, "right", "middle"),
            Words(f"{value:.0%}", x + width + 0.05, middle, 7.5, "left", "middle"),
        ]
