"""What excites the channels of a layer, and the pictures that channels and classes prefer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.reporting.documents.inside import UnitSheet, UnitsPart
from fashioncnn.reporting.figures.contact_sheet import Tile, as_grey, contact_sheet, in_rows
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.style import FAINT, class_colours, ink_of

TILE = 56


def sheet(found: UnitSheet) -> Figure:
    """Draw a row a channel: the picture that it prefers, then the patches that excite it most."""
    patches, preferred = found.patches.values, found.preferred.values
    rows, columns = patches.shape[:2]
    low, high = found.patches.low, found.patches.high
    tiles = []
    for one, exciting in zip(preferred, patches, strict=True):
        darkest, brightest = float(one.min()), float(one.max())
        tiles.append(_enlarged((one - darkest) / max(brightest - darkest, 1e-6)))
        tiles += [_enlarged((patch - low) / max(high - low, 1e-6)) for patch in exciting]
    figure = Figure(figsize=(0.92 * (columns + 1) + 0.6, 0.92 * rows + 0.5))
    axes = figure.add_subplot()
    axes.imshow(mosaic(tiles, columns + 1), cmap="gray_r", vmin=0, vmax=1)
    step = TILE + GAP
    axes.set_yticks(
        [GAP + TILE / 2 + row * step for row in range(rows)], list(map(str, found.channels))
    )
    axes.set_xticks([GAP + TILE / 2, GAP + TILE / 2 + 2 * step], ["preferred", "excited most by …"])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_facecolor(FAINT)
    axes.spines[:].set_visible(False)
    return figure


def _enlarged(tile: NDArray[Any]) -> NDArray[Any]:
    """Repeat pixels so that the tile has the size of all the others."""
    nearest = np.arange(TILE) * len(tile) // TILE
    return tile[nearest][:, nearest]


def classes(found: UnitsPart, names: Sequence[str]) -> Figure:
    """Draw the picture that each class prefers."""
    tiles = [
        Tile(as_grey(picture), name, "", colour, ink_of(colour))
        for (name, colour), picture in zip(
            class_colours(names).items(), found.classes.values, strict=True
        )
    ]
    return contact_sheet(in_rows(tiles, 5), side=1.5)
