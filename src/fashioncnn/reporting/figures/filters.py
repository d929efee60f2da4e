"""The filters of one convolution layer, as pictures with a colour scale."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.inside import FilterSheet
from fashioncnn.reporting.figures.mosaic import mosaic


def sheet(found: FilterSheet) -> Figure:
    """Draw all filters: one channel in, a grid; several, a row for each output channel."""
    outputs, inputs, height, width = found.weights.shape
    first = inputs == 1
    size = (8.0, 4.4) if first else (8.0, max(3.0, 8.0 * outputs / inputs * 0.9))
    figure = Figure(figsize=(size[0], min(size[1], 16.0)))
    axes = figure.add_subplot()
    plot(axes, found, colour_bar=True)
    words = f"{found.layer}: {outputs} filters of {height}x{width}"
    if first:
        axes.set_title(f"{words}, on the picture itself")
    else:
        axes.set_title(f"{words} on {inputs} channels")
        axes.set_ylabel("output channel, 0 at the top")
        axes.set_xlabel("input channel, 0 at the left")
    return figure


def plot(axes: Axes, found: FilterSheet, *, colour_bar: bool) -> None:
    """Draw filters (out, in, h, w) as one mosaic; zero is white on a scale symmetric about it."""
    weights = found.weights.values
    outputs, inputs = weights.shape[:2]
    columns = math.ceil(math.sqrt(outputs * 2)) if inputs == 1 else inputs
    tiles = list(weights.reshape(-1, *weights.shape[2:]))
    shown = axes.imshow(
        mosaic(tiles, columns),
        cmap="RdBu_r",
        vmin=found.weights.low,
        vmax=found.weights.high,
        interpolation="nearest",
    )
    axes.set_facecolor("#c9ced4")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if colour_bar:
        bar = axes.figure.colorbar(shown, ax=axes, fraction=0.03, pad=0.02, extend="both")
        bar.set_label("weight")
        bar.outline.set_visible(False)
