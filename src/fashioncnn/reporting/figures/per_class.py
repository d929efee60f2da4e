"""F1 of each class, beside the figure that the published system reports."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.style import INK


def f1(document: RunDocument) -> Figure:
    """Draw a bar a class, with the spread over seeds and a mark where a figure was reported."""
    figure = Figure(figsize=(7.2, 4.2))
    plot(figure.add_subplot(), document)
    return figure


def plot(axes: Axes, document: RunDocument) -> None:
    """Draw the bars on `axes`, the classes from top to bottom."""
    lowest = 1.0
    for row, one in enumerate(document.classes):
        mean, std = one.f1.mean, one.f1.std or 0.0
        lowest = min(lowest, mean - std)
        axes.barh(row, mean, color=one.colour, height=0.62, xerr=std or None, ecolor=INK)
        figure = one.reported_f1
        right = max(mean + std, figure or 0.0)
        axes.text(right + 0.006, row, f"{mean:.3f}", va="center", fontsize=9)
        if figure is not None:
            lowest = min(lowest, figure)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color="white", lw=4.5, zorder=3)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color=INK, lw=2, zorder=4)
    axes.set_yticks(range(len(document.classes)), [one.name for one in document.classes])
    axes.invert_yaxis()
    axes.set_xlim(max(0.0, np.floor(lowest * 10) / 10 - 0.1), 1.05)
    axes.set_xlabel("F1 on the test pictures")
    spread = ", mean ± standard deviation" if document.n > 1 else ""
    axes.set_title(f"F1 by class{spread}")
    axes.tick_params(axis="y", length=0)
    if any(one.reported_f1 is not None for one in document.classes):
        axes.plot([], [], color=INK, lw=2, label="as reported by the seed system")
        axes.legend(loc="upper right", bbox_to_anchor=(1.0, -0.1), fontsize=9)
