"""Single pictures that tell: the worst mistakes, and the right answers that were nearly wrong."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from fashioncnn.reporting.document import TellingPictures
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def sheet(found: TellingPictures, names: Sequence[str], words: str) -> Figure:
    """Draw a picture each: above it the answer, below it `words` and the other class."""
    colours = class_colours(names)
    images = found.images.values
    height = -(-len(images) // COLUMNS)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.72 * height))
    grid = figure.subplots(height, COLUMNS, squeeze=False, gridspec_kw={"hspace": 0.48}).flat
    for axes in grid[len(images) :]:
        axes.set_visible(False)
    for row, (axes, image) in enumerate(zip(grid, images, strict=False)):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axes.set_xticks([])
        axes.set_yticks([])
        answer, other = names[found.answers[row]], names[found.others[row]]
        axes.set_title(
            f"{answer} {found.answer_probabilities[row]:.0%}",
            fontsize=7.5,
            color=ink_of(colours[answer]),
            loc="center",
            pad=3,
        )
        axes.set_xlabel(
            f"{words} {other}\n{found.other_probabilities[row]:.1%}   #{found.indices[row]}",
            fontsize=7,
            labelpad=2,
        )
        for spine in axes.spines.values():
            spine.set(visible=True, color=colours[answer], linewidth=1.6)
    return figure
