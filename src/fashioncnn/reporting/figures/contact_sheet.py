"""Many small pictures with words and frames on one sheet, drawn as one image: axes are slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

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
    colours: str = "gray_r",
    ends: tuple[float, float] = (0, 255),
) -> Figure:
    """Draw rows of tiles, all pictures on the colour scale between `ends`.

    `row_labels` stand on the left, each with a colour of its own.
    """
    columns = max(map(len, rows))
    above = [LINE * max(_lines(tile.title) for tile in row) + 0.04 for row in rows]
    below = [LINE * max(_lines(tile.below) for tile in row) + GAP for row in rows]
    # The upper edge of each row's pictures, and where the last row ends.
    tops, end = [], 0.0
    for over, under in zip(above, below, strict=True):
        tops.append(end + over)
        end += over + side + under
    left = 0.09 * max((len(line) for one in row_labels for line in one.split("\n")), default=0)
    step = side + GAP
    width, height = left + columns * step + GAP, end
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    frames, edges = [], []
    for y, row in zip(tops, rows, strict=True):
        for column, tile in enumerate(row):
            x = left + GAP + column * step
            extent = (x, x + side, y + side, y)
            axes.imshow(
                tile.image, cmap=colours, vmin=ends[0], vmax=ends[1], extent=extent,
                interpolation="nearest", aspect="auto",
            )  # fmt: skip
            frames.append(Rectangle((x, y), side, side))
            edges.append(tile.frame)
            middle = x + side / 2
            if tile.title:
                axes.text(
                    middle, y - 0.04, tile.title, fontsize=7.5, ha="center", va="bottom",
                    color=tile.title_colour, linespacing=1.05,
                )  # fmt: skip
            if tile.below:
                axes.text(
                    middle, y + side + 0.03, tile.below, fontsize=7, ha="center", va="top",
                    linespacing=1.1,
                )  # fmt: skip
    axes.add_collection(
        PatchCollection(frames, facecolors="none", edgecolors=edges, linewidths=1.5)
    )
    # A sheet may have no labels, but then for no row.
    for y, words, colour in zip(tops, row_labels, label_colours, strict=False):
        axes.text(left, y + side / 2, words, fontsize=8, ha="right", va="center", color=colour)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure


def in_rows(tiles: Sequence[Tile], columns: int) -> list[list[Tile]]:
    """Cut tiles into rows of `columns`."""
    return [list(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]


def as_grey(image: NDArray[Any]) -> NDArray[Any]:
    """Return any picture on the scale 0 to 255, from its least to its largest value."""
    low, high = float(image.min()), float(image.max())
    return np.asarray((image - low) * (255 / max(high - low, 1e-9)))


def _lines(words: str) -> int:
    return words.count("\n") + 1 if words else 0
