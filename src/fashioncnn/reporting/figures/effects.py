"""What changed from one group of runs to another: the F1 of every class, with its interval."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure

from fashioncnn.reporting.documents.comparison import ComparedPart
from fashioncnn.reporting.style import FAINT, INK, class_colours, label_of


def forest(comparisons: Sequence[ComparedPart]) -> Figure:
    """Draw a panel a comparison: accuracy first, then F1 by class, in points."""
    names = [effect.name for effect in comparisons[0].f1]
    colours = class_colours(names)
    columns = min(3, len(comparisons))
    rows = -(-len(comparisons) // columns)
    figure = Figure(figsize=(4.1 * columns + 1.2, 3.6 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    common = _common_extent([_extent(one) for one in comparisons])
    for axes in panels[len(comparisons) :]:
        axes.set_visible(False)
    for axes, one in zip(panels, comparisons, strict=False):
        axes.axvline(0, color=FAINT, lw=1)
        marks = [
            (each.name, colours.get(each.name, INK), each.difference, each.low, each.high)
            for each in (one.accuracy, *one.f1)
        ]
        for row, (_, colour, value, low, high) in enumerate(marks):
            axes.plot([100 * low, 100 * high], [row, row], color=colour, lw=2.2)
            axes.plot(100 * value, row, "o", color=colour, ms=6.5)
        axes.set_yticks(range(len(marks)), [label_of(mark[0]) for mark in marks])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        # What is far larger than all else has a scale of its own, or nothing else could be seen.
        extent = max(common, _extent(one)) or 1.0
        axes.set_xlim(-1.05 * extent, 1.05 * extent)
        title = f"{one.other} − {one.reference}"
        axes.set_title(title + (" (other scale)" if extent > common else ""), fontsize=9.5)
        axes.set_xlabel("points: accuracy, then F1 by class")
    panels[0].invert_yaxis()
    return figure


def _extent(one: ComparedPart) -> float:
    """Return how far from zero the intervals of a comparison reach, in points."""
    effects = (one.accuracy, *one.f1)
    return max(100 * abs(end) for effect in effects for end in (effect.low, effect.high))


def _common_extent(extents: Sequence[float]) -> float:
    usual = 3 * statistics.median(extents)
    return max(extent for extent in extents if extent <= usual)
