"""Single pictures that tell: the worst mistakes, and the right answers that were nearly wrong."""

from __future__ import annotations

from matplotlib.figure import Figure

from fashioncnn.reporting.facts import Arrays, RunFacts
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def worst(run: RunFacts) -> Figure:
    """Draw the mistakes in which the true class had the least probability."""
    assert run.telling is not None
    return _sheet(run, run.telling, 0)


def closest(run: RunFacts) -> Figure:
    """Draw the right answers whose second choice came closest."""
    assert run.telling is not None
    return _sheet(run, run.telling, 1)


def _sheet(run: RunFacts, telling: Arrays, kind: int) -> Figure:
    assert run.scores is not None
    names = [score.name for score in run.scores.classes]
    colours = class_colours(names)
    rows = [row for row, one in enumerate(telling["kind"]) if one == kind]
    height = -(-len(rows) // COLUMNS)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.72 * height))
    grid = figure.subplots(height, COLUMNS, squeeze=False, gridspec_kw={"hspace": 0.48}).flat
    for axes in grid[len(rows) :]:
        axes.set_visible(False)
    for axes, row in zip(grid, rows, strict=False):
        axes.imshow(telling["images"][row], cmap="gray_r", vmin=0, vmax=255)
        axes.set_xticks([])
        axes.set_yticks([])
        # For a mistake the true class, for a right answer the second choice.
        answer, other = names[telling["answers"][row]], names[telling["others"][row]]
        axes.set_title(
            f"{answer} {telling['answer_probabilities'][row]:.0%}",
            fontsize=7.5,
            color=ink_of(colours[answer]),
            loc="center",
            pad=3,
        )
        words = "truly" if kind == 0 else "or"
        axes.set_xlabel(
            f"{words} {other}\n{telling['other_probabilities'][row]:.1%}   "
            f"#{telling['indices'][row]}",
            fontsize=7,
            labelpad=2,
        )
        for spine in axes.spines.values():
            spine.set(visible=True, color=colours[answer], linewidth=1.6)
    return figure
