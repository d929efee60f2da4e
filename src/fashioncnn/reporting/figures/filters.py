"""The filters of one convolution layer, as pictures with a colour scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.figures.mosaic import mosaic


def sheet(run: RunFacts, layer: str) -> Figure:
    """Draw all filters: one channel in, a grid; several, a row for each output channel."""
    assert run.filters is not None
    weights = run.filters[layer]
    outputs, inputs, height, width = weights.shape
    first = inputs == 1
    size = (8.0, 4.4) if first else (8.0, max(3.0, 8.0 * outputs / inputs * 0.9))
    figure = Figure(figsize=(size[0], min(size[1], 16.0)))
    axes = figure.add_subplot()
    plot(axes, weights, colour_bar=True)
    if first:
        axes.set_title(f"{layer}: {outputs} filters of {height}x{width}, on the picture itself")
    else:
        axes.set_title(f"{layer}: {outputs} filters of {height}x{width} on {inputs} channels")
        axes.set_ylabel("output channel, 0 at the top")
        axes.set_xlabel("input channel, 0 at the left")
    return figure


def plot(axes: Axes, weights: NDArray[Any], *, colour_bar: bool) -> None:
    """Draw filters (out, in, h, w) as one mosaic; zero is white on a scale symmetric about it."""
    outputs, inputs = weights.shape[:2]
    if inputs == 1:
        columns = math.ceil(math.sqrt(outputs * 2))
        tiles = list(weights[:, 0])
    else:
        columns = inputs
        tiles = list(weights.reshape(-1, *weights.shape[2:]))
    # A few large weights must not make all others pale.
    largest = float(np.percentile(np.abs(weights), 99.5)) or 1.0
    shown = axes.imshow(
        mosaic(tiles, columns), cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest"
    )
    axes.set_facecolor("#c9ced4")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if colour_bar:
        bar = axes.figure.colorbar(shown, ax=axes, fraction=0.03, pad=0.02, extend="both")
        bar.set_label("weight")
        bar.outline.set_visible(False)
