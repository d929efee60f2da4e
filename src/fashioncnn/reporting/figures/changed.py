"""The pictures whose answers changed from one group of runs to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def pictures(comparison: Mapping[str, Any], test: LabelledImages) -> Figure:
    """Draw a row of the pictures most gained and a row of those most lost."""
    rows = [(words, comparison[words][:COLUMNS]) for words in ("gained", "lost")]
    rows = [(words, shown) for words, shown in rows if shown]
    colours = class_colours(test.class_names)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.75 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for row, (words, shown) in zip(grid, rows, strict=True):
        for axes in row[len(shown) :]:
            axes.set_visible(False)
        for axes, one in zip(row, shown, strict=False):
            axes.imshow(test.images_NHW[one["index"]], cmap="gray_r", vmin=0, vmax=255)
            axes.set_xticks([])
            axes.set_yticks([])
            colour = colours[one["true"]]
            axes.set_title(one["true"], fontsize=7.5, color=ink_of(colour), loc="center", pad=3)
            share = f"{100 * one['right_before']:.0f} → {100 * one['right_after']:.0f}"
            axes.set_xlabel(f"{share}   #{one['index']}", fontsize=7, labelpad=2)
            for spine in axes.spines.values():
                spine.set(visible=True, color=colour, linewidth=1.6)
        row[0].set_ylabel(words, fontsize=9)
    return figure
