"""What changed from one group of runs to another: the F1 of every class, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from fashioncnn.reporting.style import FAINT, INK, class_colours


def forest(comparisons: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a panel a comparison: accuracy first, then F1 by class, in points."""
    names = [effect["name"] for effect in comparisons[0]["f1"]]
    colours = class_colours(names)
    columns = min(3, len(comparisons))
    rows = -(-len(comparisons) // columns)
    figure = Figure(figsize=(4.1 * columns + 1.2, 3.6 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    for axes in panels[len(comparisons) :]:
        axes.set_visible(False)
    for axes, one in zip(panels, comparisons, strict=False):
        axes.axvline(0, color=FAINT, lw=1)
        whole = one["accuracy"]["difference"]
        marks = [("accuracy", INK, whole["value"], whole["low"], whole["high"])]
        marks += [
            (e["name"], colours[e["name"]], e["difference"], e["low"], e["high"]) for e in one["f1"]
        ]
        for row, (_, colour, value, low, high) in enumerate(marks):
            axes.plot([100 * low, 100 * high], [row, row], color=colour, lw=2.2)
            axes.plot(100 * value, row, "o", color=colour, ms=6.5)
        axes.set_yticks(range(len(marks)), [mark[0] for mark in marks])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_title(f"{one['other']} − {one['reference']}", fontsize=9.5)
        axes.set_xlabel("points: accuracy, then F1 by class")
    panels[0].invert_yaxis()
    return figure
