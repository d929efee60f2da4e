"""The pictures whose answers changed from one group of runs to another."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from fashioncnn.reporting.document import ComparedPart
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def pictures(comparison: ComparedPart, class_names: Sequence[str]) -> Figure:
    """Draw a row of the pictures most gained and a row of those most lost."""
    both = (("gained", comparison.gained), ("lost", comparison.lost))
    rows = [(words, found, found.images.values) for words, found in both if found and found.images]
    colours = class_colours(class_names)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.75 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for row, (words, found, images) in zip(grid, rows, strict=True):
        for axes in row[len(images) :]:
            axes.set_visible(False)
        for at, (axes, image) in enumerate(zip(row, images, strict=False)):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
            axes.set_xticks([])
            axes.set_yticks([])
            true, colour = found.true[at], colours[found.true[at]]
            axes.set_title(true, fontsize=7.5, color=ink_of(colour), loc="center", pad=3)
            share = f"{100 * found.right_before[at]:.0f} → {100 * found.right_after[at]:.0f}"
            axes.set_xlabel(f"{share}   #{found.indices[at]}", fontsize=7, labelpad=2)
            for spine in axes.spines.values():
                spine.set(visible=True, color=colour, linewidth=1.6)
        row[0].set_ylabel(words, fontsize=9)
    return figure
