"""What a data audit found, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.style import class_colours, ink_of

PAIRS_SHOWN = 16
CANDIDATES_SHOWN = 40
COLUMNS = 8


def pairs(
    found: Sequence[Mapping[str, Any]], train: LabelledImages, test: LabelledImages
) -> Figure:
    """Draw pairs of pictures by position, the training pictures coming before those of test."""
    shown = found[:PAIRS_SHOWN]
    columns = COLUMNS // 2
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(2.9 * columns, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2 * columns, squeeze=False).flat
    for axes in grid[2 * len(shown) :]:
        axes.set_visible(False)
    for number, pair in enumerate(shown):
        for axes, position in zip(
            grid[2 * number : 2 * number + 2], (pair["first"], pair["second"]), strict=True
        ):
            pictures, split, index = train, "train", position
            if position >= len(train):
                pictures, split, index = test, "test", position - len(train)
            name = pictures.class_names[pictures.labels[index]]
            _picture(axes, pictures, index, name, f"{name}\n{split} #{index}")
        words = f"differ by {pair['rms']:.1f}" if "rms" in pair else f"alike {pair['cosine']:.4f}"
        grid[2 * number + 1].set_title(words, fontsize=7.5, loc="right")
    return figure


def candidates(found: Sequence[Mapping[str, Any]], pictures: LabelledImages) -> Figure:
    """Draw the likeliest candidates: above each what networks say, below it the label."""
    some = found[:CANDIDATES_SHOWN]
    rows = -(-len(some) // COLUMNS)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes in grid[len(some) :]:
        axes.set_visible(False)
    for axes, one in zip(grid, some, strict=False):
        suggested = pictures.class_names[one["suggested"]]
        _picture(
            axes,
            pictures,
            one["index"],
            suggested,
            f"labelled {pictures.class_names[one['label']]}\n#{one['index']}",
        )
        axes.set_title(
            f"{suggested}? {one['suggested_probability']:.0%}",
            fontsize=7.5,
            loc="center",
            color=ink_of(class_colours(pictures.class_names)[suggested]),
            pad=3,
        )
    return figure


def _picture(axes: Axes, pictures: LabelledImages, index: int, name: str, words: str) -> None:
    axes.imshow(pictures.images_NHW[index], cmap="gray_r", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(words, fontsize=7, labelpad=2)
    for spine in axes.spines.values():
        colour = class_colours(pictures.class_names)[name]
        spine.set(visible=True, color=colour, linewidth=1.6)
