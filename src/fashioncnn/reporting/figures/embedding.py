"""The map of the test pictures, as the network sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.inside import EmbeddingPart
from fashioncnn.reporting.style import INK, class_colours, ink_of, label_of


def chart(found: EmbeddingPart, names: Sequence[str]) -> Figure:
    """Draw every picture as a point in its class's colour, and mistakes as crosses."""
    places, labels = np.column_stack([found.x, found.y]), np.array(found.labels)
    wrong = np.array(found.predicted) != labels
    figure = Figure(figsize=(8.6, 7.6), layout="constrained")
    axes = figure.add_subplot()
    for index, name in enumerate(names):
        mine = labels == index
        colour = class_colours(names)[name]
        x, y = places[mine & ~wrong].T
        axes.scatter(x, y, s=5, color=colour, alpha=0.6, linewidths=0)
        x, y = places[mine & wrong].T
        axes.scatter(x, y, s=16, color=colour, marker="x", linewidths=1.0)
        if not mine.any():
            continue
        middle = np.median(places[mine], axis=0)
        axes.annotate(
            label_of(name),
            middle,
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=ink_of(colour),
            bbox={"boxstyle": "round", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
        )
    axes.scatter([], [], s=16, color=INK, marker="x", linewidths=1.0, label="mistake")
    axes.legend(loc="lower right")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return figure
