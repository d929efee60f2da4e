"""What a study tried and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fashioncnn.reporting.documents.study import Trial
from fashioncnn.reporting.style import FAINT, INK, TRAINING, VALIDATION

Trials = Sequence[Trial]


def _accuracies(trials: Trials) -> list[float]:
    """Return the accuracies of settings that have one."""
    return [one.accuracy for one in trials if one.accuracy is not None]


def _finished(trials: Trials) -> list[Trial]:
    return [one for one in trials if one.complete and one.accuracy is not None]


COLUMNS = 3
# From so many settings on, the worst may lie outside.
MANY = 20


def history(trials: Trials) -> Figure:
    """Draw every setting's accuracy in the order of trying, and the best so far."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    done = _finished(trials)
    given_up = [one for one in trials if not one.complete and one.accuracy is not None]
    axes.plot(
        [one.number for one in given_up],
        _accuracies(given_up),
        "x",
        color=FAINT,
        label="given up early",
    )
    numbers = [one.number for one in done]
    accuracies = _accuracies(done)
    axes.plot(numbers, accuracies, "o", color=VALIDATION, ms=5, label="trained to the end")
    best = np.maximum.accumulate(accuracies)
    axes.step(numbers, best, where="post", color=TRAINING, lw=1.8, label="best so far")
    axes.set_xlabel("setting, in the order of trying")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _accuracy_axis(axes, accuracies)
    axes.legend(fontsize=8.5)
    return figure


def slices(trials: Trials, keys: Sequence[str]) -> Figure:
    """Draw accuracy against each key's values, one panel a key."""
    columns = min(COLUMNS, len(keys))
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(3.5 * columns, 3.1 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    done = _finished(trials)
    for axes in panels[len(keys) :]:
        axes.set_visible(False)
    for axes, key in zip(panels, keys, strict=False):
        places, ticks = positions([one.setting[key] for one in trials])
        at = dict(zip((one.number for one in trials), places, strict=True))
        axes.plot(
            [at[one.number] for one in done],
            _accuracies(done),
            "o",
            color=VALIDATION,
            ms=5,
            alpha=0.7,
        )
        axes.set_xticks(list(ticks), list(ticks.values()), fontsize=8)
        axes.set_xlim(min(ticks) - 0.1, max(ticks) + 0.1)
        axes.set_xlabel(key)
        _accuracy_axis(axes, _accuracies(done))
        axes.set_ylabel("validation accuracy" if axes.get_subplotspec().is_first_col() else "")
    return figure


def importance(shares: Mapping[str, float]) -> Figure:
    """Draw the share of the accuracy's variance that each key explains."""
    figure = Figure(figsize=(6.4, 0.42 * len(shares) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    rows = range(len(shares))
    axes.barh(rows, list(shares.values()), color=VALIDATION)
    axes.set_yticks(rows, list(shares), fontsize=9)
    for row, share in zip(rows, shares.values(), strict=True):
        axes.text(share + 0.01, row, f"{share:.0%}", va="center", fontsize=8.5)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1.1 * max(shares.values(), default=1.0))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("share of the variance of validation accuracy")
    return figure


def parallel(trials: Trials, keys: Sequence[str]) -> Figure:
    """Draw a line a setting through its values, the brighter the more accurate."""
    done = sorted(_finished(trials), key=lambda one: one.accuracy or 0.0)
    figure = Figure(figsize=(1.9 * len(keys) + 2.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    accuracies = _accuracies(done)
    # Hopeless settings must not make the good ones look alike.
    scale = Normalize(_low(accuracies, 0.25), max(accuracies), clip=True)
    columns = []
    for column, key in enumerate(keys):
        places, ticks = positions([one.setting[key] for one in done])
        columns.append(places)
        axes.axvline(column, color=FAINT, lw=0.8)
        for place, label in ticks.items():
            axes.annotate(
                label, (column, place), xytext=(4, 3), textcoords="offset points", fontsize=8
            )
    for row, accuracy in enumerate(accuracies):
        heights = [places[row] for places in columns]
        colour = mpl.colormaps["viridis"](scale(accuracy))
        axes.plot(range(len(keys)), heights, color=colour, lw=1.6, alpha=0.8)
    axes.set_xticks(range(len(keys)), keys, fontsize=8.5, color=INK)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.1, len(keys) - 0.6)
    bar = figure.colorbar(
        mpl.cm.ScalarMappable(scale, "viridis"), ax=axes, fraction=0.05, pad=0.02, extend="min"
    )
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    bar.set_label("validation accuracy", fontsize=8.5)
    return figure


def positions(values: Sequence[Any]) -> tuple[list[float], dict[float, str]]:
    """Return a place from 0 to 1 for each of `values`, and labels of places.

    Numbers that are more than six lie on a logarithmic scale where they are all above 0 and span
    more than a factor of ten, else on an even one; few values, and words, lie evenly.
    """
    distinct = sorted({json.dumps(value): value for value in values}.values(), key=_order)
    numbers = all(isinstance(value, int | float) for value in distinct)
    if numbers and len(distinct) > 6:
        low, high = distinct[0], distinct[-1]
        log = low > 0 and high / low > 10
        scaled = np.log(np.array(values, float)) if log else np.array(values, float)
        places = (scaled - scaled.min()) / (scaled.max() - scaled.min())
        middle = float(np.sqrt(low * high)) if log else (low + high) / 2
        return places.tolist(), {0.0: f"{low:.3g}", 0.5: f"{middle:.3g}", 1.0: f"{high:.3g}"}
    step = 1 / max(1, len(distinct) - 1)
    at = {json.dumps(value): index * step for index, value in enumerate(distinct)}
    labels = {place: value.strip('"') for value, place in at.items()}
    return [at[json.dumps(value)] for value in values], labels


def _order(value: Any) -> tuple[int, Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, value) if is_number else (1, json.dumps(value))


def _accuracy_axis(axes: Axes, accuracies: Sequence[float]) -> None:
    axes.set_ylabel("validation accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    axes.grid(axis="y")
    # A diverged setting far below must not flatten all others.
    low, high = _low(accuracies, 0.1), max(accuracies)
    room = 0.15 * (high - low) or 0.01
    axes.set_ylim(low - room, high + room)


def _low(accuracies: Sequence[float], share: float) -> float:
    """Return where a scale begins: below all of few settings, above this share of many."""
    return float(np.quantile(accuracies, share)) if len(accuracies) >= MANY else min(accuracies)
