"""Many small pictures with words and frames, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.figures.pictures import on_dark, shown
from fashioncnn.reporting.figures.sheet import Sheet, Words, colours, fitted
from fashioncnn.reporting.style import INK

# Inches: a picture's side, and what a line of words takes.
SIDE = 1.0
LINE = 0.135
GAP = 0.12


@dataclass(frozen=True)
class Tile:
    """A picture with words above and below it, and the colours of its frame and title.

    The picture is of a data set, (h, w, c) from 0 to 255, or a map (h, w) on a colour scale.
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
    scale: str = "viridis",
    ends: tuple[float, float] = (0, 255),
    dark: bool | None = None,
) -> Sheet:
    """Lay out rows of tiles; maps are on matplotlib's colour `scale` between `ends`.

    `row_labels` stand on the left, each with a colour of its own. Grey pictures are reversed where
    they are `dark`: by default, where their corners are.
    """
    sheet, y = Sheet(), 0.0
    if dark is None:
        dark = _on_dark(rows)
    for number, row in enumerate(rows):
        y += LINE * max(_lines(tile.title) for tile in row) + 0.04
        # A sheet may have no labels, but then for no row.
        if row_labels:
            label = row_labels[number]
            middle = y + side / 2
            sheet.words.append(Words(label, 0, middle, 8, "right", "middle", label_colours[number]))
        for column, tile in enumerate(row):
            if tile.image.ndim == 3:
                pixels = shown(tile.image, dark)
            else:
                pixels = colours(tile.image, scale, *ends)
            _place(sheet, tile, pixels, GAP + column * (side + GAP), y, side)
        y += side + LINE * max(_lines(tile.below) for tile in row) + GAP
    return sheet


def _place(
    sheet: Sheet,
    tile: Tile,
    pixels_HWC: NDArray[np.uint8],
    x: float,
    y: float,
    side: float,
) -> None:
    sheet.pictures.append(fitted(pixels_HWC, x, y, side, tile.frame))
    middle = x + side / 2
    if tile.title:
        title = Words(tile.title, middle, y - 0.03, 7.5, "middle", "bottom", tile.title_colour)
        sheet.words.append(title)
    if tile.below:
        sheet.words.append(Words(tile.below, middle, y + side + 0.03, 7, "middle"))


def in_rows(tiles: Sequence[Tile], columns: int) -> list[list[Tile]]:
    """Cut tiles into rows of `columns`."""
    return [list(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]


def _on_dark(rows: Sequence[Sequence[Tile]]) -> bool:
    images = [tile.image for row in rows for tile in row if tile.image.ndim == 3]
    return bool(images) and on_dark(np.stack(images))


def _lines(words: str) -> int:
    return words.count("\n") + 1 if words else 0
