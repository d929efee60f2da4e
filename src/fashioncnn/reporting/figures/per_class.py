"""F1 of each class, beside the figure that the published system reports."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.style import INK, MOST_LABELS, label_of


def f1(document: RunDocument) -> Figure:
    """Draw a bar a class, with the spread over seeds and a mark where a figure was reported."""
    classes = len(document.classes)
    figure = Figure(figsize=(7.2, max(4.2, 0.2 * classes)))
    plot(figure.add_subplot(), document, labels=classes)
    return figure


def plot(axes: Axes, document: RunDocument, labels: int = MOST_LABELS) -> None:
    """Draw the bars on `axes`, the classes from top to bottom; there is room for `labels`."""
    lowest = 1.0
    names = [label_of(one.name) for one in document.classes]
    step = -(-len(names) // labels)
    for row, one in enumerate(document.classes):
        mean, std = one.f1.mean, one.f1.std or 0.0
        lowest = min(lowest, mean - std)
        axes.barh(row, mean, color=one.colour, height=0.62, xerr=std or None, ecolor=INK)
        figure = one.reported_f1
        right = max(mean + std, figure or 0.0)
        if step == 1:
            axes.text(right + 0.006, row, f"{mean:.3f}", va="center", fontsize=9)
        if figure is not None:
            lowest = min(lowest, figure)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color="white", lw=4.5, zorder=3)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color=INK, lw=2, zorder=4)
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(max(0.0, np.floor(lowest * 10) / 10 - 0.1), 1.05)
    axes.set_xlabel("F1 on the test pictures")
    spread = ", mean ± standard deviation" if document.n > 1 else ""
    axes.set_title(f"F1 by class{spread}")
    axes.tick_params(axis="y", length=0)
    if any(one.reported_f1 is not None for one in document.classes):
        axes.plot([], [], color=INK, lw=2, label="as reported by the seed system")
        axes.legend(loc="upper right", bbox_to_anchor=(1.0, -0.1), fontsize=9)
