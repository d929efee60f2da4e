"""What a data audit found, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.reporting.document import CandidateSheet, PairSheet
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def pairs(found: PairSheet, class_names: Sequence[str]) -> Figure:
    """Draw pairs of pictures, each with its label, its split and its number."""
    columns = COLUMNS // 2
    rows = -(-len(found.pairs) // columns)
    figure = Figure(figsize=(2.9 * columns, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2 * columns, squeeze=False).flat
    for axes in grid[2 * len(found.pairs) :]:
        axes.set_visible(False)
    for number, (pair, images) in enumerate(zip(found.pairs, found.images.values, strict=True)):
        for side, image in enumerate(images):
            name = class_names[pair.labels[side]]
            words = f"{name}\n{pair.splits[side]} #{pair.indices[side]}"
            _picture(grid[2 * number + side], image, class_colours(class_names)[name], words)
        grid[2 * number + 1].set_title(pair.words, fontsize=7.5, loc="right")
    return figure


def candidates(found: CandidateSheet, class_names: Sequence[str]) -> Figure:
    """Draw the likeliest candidates: above each what networks say, below it the label."""
    images = found.images.values
    rows = -(-len(images) // COLUMNS)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes in grid[len(images) :]:
        axes.set_visible(False)
    for at, (axes, image) in enumerate(zip(grid, images, strict=False)):
        suggested = class_names[found.suggested[at]]
        colour = class_colours(class_names)[suggested]
        words = f"labelled {class_names[found.labels[at]]}\n#{found.indices[at]}"
        _picture(axes, image, colour, words)
        axes.set_title(
            f"{suggested}? {found.suggested_probabilities[at]:.0%}",
            fontsize=7.5,
            loc="center",
            color=ink_of(colour),
            pad=3,
        )
    return figure


def _picture(axes: Axes, image: NDArray[Any], colour: str, words: str) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(words, fontsize=7, labelpad=2)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=1.6)
