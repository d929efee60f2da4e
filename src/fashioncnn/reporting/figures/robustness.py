"""Accuracy on pictures made worse, by severity."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashioncnn.reporting.style import FAINT, INK, class_colours
from fashioncnn.runs.contents import Stress


def curves(stress: Stress) -> Figure:
    """Draw a small panel for each way in which pictures become worse."""
    found, plain = stress.corruptions, stress.accuracy
    colours = class_colours(tuple(found))
    columns = 4
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(2.75 * columns, 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for axes in panels[len(found) :]:
        axes.set_visible(False)
    for axes, (name, one) in zip(panels, found.items(), strict=False):
        strengths, accuracies = [0, *one.strengths], [plain, *one.accuracies]
        axes.axhline(plain, color=FAINT, lw=0.8, ls=":")
        axes.plot(strengths, accuracies, "-o", color=colours[name], lw=2, ms=4)
        axes.annotate(
            f"{accuracies[-1]:.0%}",
            (strengths[-1], accuracies[-1]),
            # Curves fall: there is room below their end, but for the lowest.
            xytext=(-4, 7) if accuracies[-1] < 0.25 else (-8, -4),
            textcoords="offset points",
            ha="right",
            va="bottom" if accuracies[-1] < 0.25 else "top",
            fontsize=8.5,
            color=INK,
        )
        axes.set_title(name)
        axes.set_xlabel(one.unit, fontsize=8.5)
        axes.set_ylim(0, 1.02)
        axes.grid(axis="y")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    panels[0].set_ylabel("accuracy")
    return figure
