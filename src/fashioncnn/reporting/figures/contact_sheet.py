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
    tiles = [tile for row in rows for tile in row]
    above = LINE * max(_lines(tile.title) for tile in tiles) + 0.04
    below = LINE * max(_lines(tile.below) for tile in tiles) + GAP
    left = 0.09 * max((len(line) for one in row_labels for line in one.split("\n")), default=0)
    step_x, step_y = side + GAP, above + side + below
    width, height = left + columns * step_x + GAP, len(rows) * step_y
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    frames, edges = [], []
    for at, row in enumerate(rows):
        for column, tile in enumerate(row):
            x, y = left + GAP + column * step_x, at * step_y + above
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
    for at, (words, colour) in enumerate(zip(row_labels, label_colours, strict=True)):
        y = at * step_y + above + side / 2
        axes.text(left, y, words, fontsize=8, ha="right", va="center", color=colour)
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
