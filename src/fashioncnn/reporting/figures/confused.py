"""The most confused pairs of classes, with the actual pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from fashioncnn.evaluation.scores import Confusion
from fashioncnn.reporting.document import ConfusedPictures
from fashioncnn.reporting.style import class_colours, ink_of


def pictures(
    found: ConfusedPictures, confusions: Sequence[Confusion], names: Sequence[str]
) -> Figure:
    """Draw a row a pair: how often, and the pictures that the network was surest about."""
    colours = class_colours(names)
    labels, predicted = np.array(found.labels), np.array(found.predicted)
    number = {name: index for index, name in enumerate(names)}
    images = found.images.values
    # A pair without a picture would be a row without one.
    pairs = [pair for pair in confusions if {pair.true, pair.predicted} <= number.keys()]
    columns = max(
        int(((labels == number[p.true]) & (predicted == number[p.predicted])).sum()) for p in pairs
    )
    figure = Figure(figsize=(2.6 + 0.86 * columns, 1.12 * len(pairs) + 0.4))
    grid = figure.add_gridspec(
        len(pairs), columns + 1, width_ratios=[2.7] + [1] * columns, hspace=0.42, wspace=0.08
    )
    for row, pair in enumerate(pairs):
        words = figure.add_subplot(grid[row, 0])
        words.axis("off")
        words.text(
            0, 0.78, pair.true, color=ink_of(colours[pair.true]), fontweight="bold", va="center"
        )
        words.text(0, 0.46, f"taken for {pair.predicted}", va="center", fontsize=9)
        words.text(0, 0.16, f"{pair.count} times ({pair.share:.1%})", va="center", fontsize=8.5)
        chosen = np.flatnonzero(
            (labels == number[pair.true]) & (predicted == number[pair.predicted])
        )
        for column, index in enumerate(chosen):
            axes = figure.add_subplot(grid[row, column + 1])
            axes.imshow(images[index], cmap="gray_r", vmin=0, vmax=255)
            axes.set_title(
                f"{found.probabilities[index]:.0%} sure",
                fontsize=7.5,
                fontweight="normal",
                loc="center",
                pad=2,
            )
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel(f"#{found.indices[index]}", fontsize=7, labelpad=1)
            for spine in axes.spines.values():
                spine.set(visible=True, color=colours[pair.predicted], linewidth=1.4)
    return figure
