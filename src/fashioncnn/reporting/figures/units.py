"""What excites the channels of a layer, and what classes would like to see."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.style import FAINT, class_colours, ink_of

TILE = 56


def sheet(run: RunFacts, layer: str) -> Figure:
    """Draw a row a channel: a picture made up to please it, then the patches that excite it."""
    assert run.units is not None
    patches, pleasing = run.units[f"patches {layer}"], run.units[f"pleasing {layer}"]
    rows, columns = patches.shape[:2]
    low, high = float(patches.min()), float(patches.max())
    tiles = []
    for made_up, exciting in zip(pleasing, patches, strict=True):
        darkest, brightest = float(made_up.min()), float(made_up.max())
        tiles.append(_enlarged((made_up - darkest) / max(brightest - darkest, 1e-6)))
        tiles += [_enlarged((patch - low) / max(high - low, 1e-6)) for patch in exciting]
    figure = Figure(figsize=(0.92 * (columns + 1) + 0.6, 0.92 * rows + 0.5))
    axes = figure.add_subplot()
    axes.imshow(mosaic(tiles, columns + 1), cmap="gray_r", vmin=0, vmax=1)
    step = TILE + GAP
    axes.set_yticks(
        [GAP + TILE / 2 + row * step for row in range(rows)], run.units[f"channels {layer}"]
    )
    axes.set_xticks([GAP + TILE / 2, GAP + TILE / 2 + 2 * step], ["made up", "excited most by …"])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_facecolor(FAINT)
    axes.spines[:].set_visible(False)
    return figure


def _enlarged(tile: NDArray[Any]) -> NDArray[Any]:
    """Repeat pixels so that the tile has the size of all the others."""
    nearest = np.arange(TILE) * len(tile) // TILE
    return tile[nearest][:, nearest]


def classes(run: RunFacts) -> Figure:
    """Draw the picture that each class would like to see most."""
    assert run.units is not None
    assert run.scores is not None
    names = [score.name for score in run.scores.classes]
    columns = 5
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(1.75 * columns, 1.95 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes, name, picture in zip(grid, names, run.units["classes"], strict=False):
        colour = class_colours(names)[name]
        axes.imshow(picture, cmap="gray_r")
        axes.set_title(name, fontsize=9, loc="center", color=ink_of(colour))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set(visible=True, color=colour, linewidth=1.6)
    return figure
