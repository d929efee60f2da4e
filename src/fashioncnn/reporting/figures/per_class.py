"""F1 of each class, beside the figure that the published system reports."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.facts import Group
from fashioncnn.reporting.style import INK, class_colours


def f1(group: Group) -> Figure:
    """Draw a bar a class, with the spread over seeds and a mark where a figure was reported."""
    figure = Figure(figsize=(7.2, 4.2))
    plot(figure.add_subplot(), group)
    return figure


def plot(axes: Axes, group: Group) -> None:
    """Draw the bars on `axes`, the classes from top to bottom."""
    names = [score.name for score in group.scored[0].classes]
    colours = class_colours(names)
    reported = group.recipe.reported.classes if group.recipe.reported else {}
    lowest = 1.0
    for row, name in enumerate(names):
        values = group.values(f"test/f1/{name}")
        mean = float(values.mean())
        std = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        lowest = min(lowest, mean - std)
        axes.barh(row, mean, color=colours[name], height=0.62, xerr=std or None, ecolor=INK)
        figure = reported[name].f1 if name in reported else None
        right = max(mean + std, figure or 0.0)
        axes.text(right + 0.006, row, f"{mean:.3f}", va="center", fontsize=9)
        if figure is not None:
            lowest = min(lowest, figure)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color="white", lw=4.5, zorder=3)
            axes.plot([figure, figure], [row - 0.42, row + 0.42], color=INK, lw=2, zorder=4)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(max(0.0, np.floor(lowest * 10) / 10 - 0.1), 1.05)
    axes.set_xlabel("F1 on the test pictures")
    spread = ", mean ± standard deviation" if len(group.scored) > 1 else ""
    axes.set_title(f"F1 by class{spread}")
    axes.tick_params(axis="y", length=0)
    if any(one.f1 is not None for one in reported.values()):
        axes.plot([], [], color=INK, lw=2, label="as reported by the seed system")
        axes.legend(loc="upper right", bbox_to_anchor=(1.0, -0.1), fontsize=9)
