"""The confusion matrix: what each class was taken for."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.style import MOST_LABELS, class_colours, ink_of, label_of


def matrix(document: RunDocument) -> Figure:
    """Draw counts, each row's shade by its share of the class."""
    figure = Figure(figsize=(8.2, 7.2))
    plot(figure.add_subplot(), document)
    return figure


def plot(axes: Axes, document: RunDocument, font_size: float = 9) -> None:
    """Draw the matrix on `axes`."""
    counts = np.array(document.confusion)
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    names = [one.name for one in document.classes]
    axes.imshow(shares**0.5, cmap="Blues", vmin=0, vmax=1.1)
    # Of many classes, no count could be read.
    step = -(-len(names) // MOST_LABELS)
    for (row, column), count in ((index, counts[index]) for index in _indices(counts.shape)):
        if count and step == 1:
            axes.text(
                column,
                row,
                f"{count:.0f}" if count >= 1 else "<1",
                ha="center",
                va="center",
                fontsize=font_size,
                fontweight="bold" if row == column else "normal",
                color="white" if shares[row, column] > 0.4 else "#1b1f24",
            )
    ticks = range(0, len(names), step)
    shown = list(map(label_of, names[::step]))
    axes.set_xticks(ticks, shown, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, shown)
    for name, vertical, horizontal in zip(
        names[::step], axes.get_yticklabels(), axes.get_xticklabels(), strict=True
    ):
        vertical.set_color(ink_of(class_colours(names)[name]))
        horizontal.set_color(ink_of(class_colours(names)[name]))
        vertical.set_fontweight("bold")
        horizontal.set_fontweight("bold")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("answer of the network")
    axes.set_ylabel("true class")
    runs = document.n
    axes.set_title("Confusion on the test pictures" + (f", mean of {runs} runs" * (runs > 1)))


def _indices(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(shape[0]) for column in range(shape[1])]
