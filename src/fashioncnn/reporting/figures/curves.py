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
    shown = []
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
        end = f"{mean[-1]:.3f}" if figure_name == "loss" else f"{mean[-1]:.1%}"
        told = f"{label} ({end} at the end)"
        axes.plot(epochs, mean, style, color=colour, lw=2, marker="o", ms=3.5, label=told)
        shown.append(label)
    if found.full_epochs is not None and found.kept_share is not None:
        axes.axvline(
            found.full_epochs + 0.5,
            color=FAINT,
            lw=1,
            ls=":",
            label=f"from here on the hardest {found.kept_share:.0%}",
        )
    axes.set_title(f"{' and '.join(shown).capitalize()} {figure_name}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean cross-entropy" if figure_name == "loss" else "accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    if figure_name == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend()
