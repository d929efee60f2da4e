"""What excites the channels of a layer, and what classes would like to see."""

from __future__ import annotations

from matplotlib.figure import Figure

from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.style import FAINT, class_colours, ink_of


def sheet(run: RunFacts, layer: str) -> Figure:
    """Draw a row a channel: a picture made up to please it, then the patches that excite it."""
    assert run.units is not None
    patches, pleasing = run.units[f"patches {layer}"], run.units[f"pleasing {layer}"]
    rows, columns = patches.shape[:2]
    figure = Figure(figsize=(0.92 * (columns + 1) + 0.6, 0.95 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns + 1, squeeze=False)
    low, high = float(patches.min()), float(patches.max())
    for row, channel in enumerate(run.units[f"channels {layer}"]):
        grid[row, 0].imshow(pleasing[row], cmap="gray_r")
        grid[row, 0].set_ylabel(str(channel), rotation=0, ha="right", va="center", fontsize=9)
        for column in range(columns):
            grid[row, column + 1].imshow(patches[row, column], cmap="gray_r", vmin=low, vmax=high)
        for axes in grid[row]:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set(visible=True, color=FAINT, linewidth=0.6)
    grid[0, 0].set_title("made up", fontsize=8.5, loc="center")
    grid[0, 1].set_title("excited most by", fontsize=8.5, loc="left")
    return figure


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
