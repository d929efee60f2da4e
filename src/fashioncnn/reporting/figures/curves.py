"""Loss and accuracy by epoch, on training and validation pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fashioncnn.reporting.documents.run import Curves
from fashioncnn.reporting.style import FAINT, TRAINING, VALIDATION


def loss(curves: Curves) -> Figure:
    """Draw training and validation loss."""
    figure = Figure(figsize=(6.4, 3.8))
    plot(figure.add_subplot(), curves, "loss")
    return figure


def accuracy(curves: Curves) -> Figure:
    """Draw training and validation accuracy."""
    figure = Figure(figsize=(6.4, 3.8))
    plot(figure.add_subplot(), curves, "accuracy")
    return figure


def plot(axes: Axes, found: Curves, figure_name: str) -> None:
    """Draw one figure: thin lines for the runs, a strong one for their mean, named at its end.

    Without validation pictures there is one curve.
    """
    ends = {}
    for split, colour, style, label in (
        ("train", TRAINING, "--", "training"),
        ("val", VALIDATION, "-", "validation"),
    ):
        curves = (found.loss if figure_name == "loss" else found.accuracy).get(split)
        if not curves:
            continue
        shortest = min(len(curve) for curve in curves)
        mean = np.mean([curve[:shortest] for curve in curves], axis=0)
        epochs = np.arange(1, shortest + 1)
        if len(curves) > 1:
            for curve in curves:
                axes.plot(range(1, len(curve) + 1), curve, color=colour, lw=0.7, alpha=0.35)
        axes.plot(epochs, mean, style, color=colour, lw=2, marker="o", ms=3.5, label=label)
        ends[label] = mean[-1]
    if found.full_epochs is not None and found.kept_share is not None:
        boundary = found.full_epochs + 0.5
        axes.axvline(boundary, color=FAINT, lw=1, ls=":")
        axes.annotate(
            f"from here on the hardest {found.kept_share:.0%}",
            (boundary, 0.5),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            color=FAINT,
            fontsize=8.5,
        )
    axes.set_title(f"{' and '.join(ends).capitalize()} {figure_name}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean cross-entropy" if figure_name == "loss" else "accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    if figure_name == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    labels = {
        name: f"{name} ({value:.3f} at the end)"
        if figure_name == "loss"
        else f"{name} ({value:.1%} at the end)"
        for name, value in ends.items()
    }
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles, [labels[name] for name in names])
