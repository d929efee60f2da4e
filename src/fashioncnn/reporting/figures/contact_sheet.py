"""Many small pictures with words and frames, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colours
from fashioncnn.reporting.style import INK

# Inches: a picture's side, and what a line of words takes.
SIDE = 1.0
LINE = 0.135
GAP = 0.12


@dataclass(frozen=True)
class Tile:
    """A picture with words above and below it, and the colours of its frame and title.

    The picture is (h, w), or (h, w, 3) with colours of its own from 0 to 1.
    """

    image: NDArray[Any]
    title: str = ""
    below: str = ""
    frame: str = INK
    title_colour: str = INK


def contact_sheet(
    rows: Sequence[Sequence[Tile]],
    row_labels: Sequence[str] = (),
    label_colours: Sequence[str] = (),
    *,
    side: float = SIDE,
    scale: str = "gray_r",
    ends: tuple[float, float] = (0, 255),
) -> Sheet:
    """Lay out rows of tiles, all pictures on matplotlib's colour `scale` between `ends`.

    `row_labels` stand on the left, each with a colour of its own.
    """
    sheet, y = Sheet(), 0.0
    for number, row in enumerate(rows):
        y += LINE * max(_lines(tile.title) for tile in row) + 0.04
        # A sheet may have no labels, but then for no row.
        if row_labels:
            label = row_labels[number]
            middle = y + side / 2
            sheet.words.append(Words(label, 0, middle, 8, "right", "middle", label_colours[number]))
        for column, tile in enumerate(row):
            _place(sheet, tile, GAP + column * (side + GAP), y, side, scale, ends)
        y += side + LINE * max(_lines(tile.below) for tile in row) + GAP
    return sheet


def _place(
    sheet: Sheet,
    tile: Tile,
    x: float,
    y: float,
    side: float,
    scale: str,
    ends: tuple[float, float],
) -> None:
    own = tile.image.ndim == 3
    pixels = np.rint(255 * tile.image).astype(np.uint8) if own else None
    shown = colours(tile.image, scale, *ends) if pixels is None else pixels
    sheet.pictures.append(Picture(shown, x, y, side, side, tile.frame))
    middle = x + side / 2
    if tile.title:
        title = Words(tile.title, middle, y - 0.03, 7.5, "middle", "bottom", tile.title_colour)
        sheet.words.append(title)
    if tile.below:
        sheet.words.append(Words(tile.below, middle, y + side + 0.03, 7, "middle"))


def in_rows(tiles: Sequence[Tile], columns: int) -> list[list[Tile]]:
    """Cut tiles into rows of `columns`."""
    return [list(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]


def as_grey(image: NDArray[Any]) -> NDArray[Any]:
    """Return any picture on the scale 0 to 255, from its least to its largest value."""
    low, high = float(image.min()), float(image.max())
    return np.asarray((image - low) * (255 / max(high - low, 1e-9)))


def _lines(words: str) -> int:
    return words.count("\n") + 1 if words else 0
