"""The feature maps of one layer, for chosen test pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.style import class_colours, ink_of

CHANNELS = 16


def sheet(run: RunFacts, layer: str) -> Figure:
    """Draw a row a picture: the picture, then the layer's most varied channels or all features."""
    assert run.feature_maps is not None
    assert run.pictures is not None
    maps = run.feature_maps[layer]
    return _channels(run, layer, maps) if maps.ndim == 4 else _features(run, layer, maps)


def _channels(run: RunFacts, layer: str, maps: NDArray[Any]) -> Figure:
    assert run.pictures is not None
    rows, channels, height, width = maps.shape
    chosen = most_varied(maps)
    figure = Figure(figsize=(1.9 + 0.62 * (len(chosen) + 1), 0.66 * rows + 0.9))
    grid = figure.add_gridspec(
        rows,
        len(chosen) + 1,
        wspace=0.06,
        hspace=0.06,
        left=0.16,
        right=0.92,
        top=0.84,
        bottom=0.02,
    )
    low, high = limits(maps)
    shown = None
    for row in range(rows):
        picture(figure.add_subplot(grid[row, 0]), run, row)
        for column, channel in enumerate(chosen, start=1):
            axes = figure.add_subplot(grid[row, column])
            shown = axes.imshow(maps[row, channel], cmap="viridis", vmin=low, vmax=high)
            axes.axis("off")
            if row == 0:
                axes.set_title(str(channel), fontsize=7.5, fontweight="normal", loc="center", pad=2)
    shape = f"{channels} channels of {height}x{width}"
    part = f", the {len(chosen)} most varied by number" if channels > len(chosen) else ""
    figure.suptitle(f"{layer}: {shape}{part}", x=0.04, ha="left", fontsize=11, fontweight="bold")
    if shown is not None:
        scale = figure.add_axes((0.935, 0.12, 0.012, 0.62))
        bar = figure.colorbar(shown, cax=scale, extend="both")
        bar.ax.tick_params(labelsize=7)
        bar.set_label("activation, one scale for the sheet", fontsize=7.5)
    return figure


def _features(run: RunFacts, layer: str, maps: NDArray[Any]) -> Figure:
    assert run.pictures is not None
    rows, features = maps.shape
    figure = Figure(figsize=(11.5, 0.5 * rows + 1.1))
    grid = figure.add_gridspec(
        rows, 2, width_ratios=[1, 16], wspace=0.03, hspace=0.12, left=0.16, right=0.9
    )
    low, high = limits(maps)
    shown = None
    for row in range(rows):
        picture(figure.add_subplot(grid[row, 0]), run, row)
        axes = figure.add_subplot(grid[row, 1])
        shown = axes.imshow(maps[row : row + 1], aspect="auto", cmap="viridis", vmin=low, vmax=high)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        if row < rows - 1:
            axes.set_xticks([])
        elif features == len(FASHION_MNIST_CLASSES):
            axes.set_xticks(range(features), FASHION_MNIST_CLASSES, fontsize=8)
        else:
            axes.set_xlabel(f"feature, 0 to {features - 1}", fontsize=8)
            axes.tick_params(labelsize=7.5)
    figure.suptitle(
        f"{layer}: {features} features", x=0.04, ha="left", fontsize=11, fontweight="bold"
    )
    if shown is not None:
        bar = figure.colorbar(shown, cax=figure.add_axes((0.915, 0.15, 0.01, 0.7)), extend="both")
        bar.ax.tick_params(labelsize=7)
        bar.set_label("activation, one scale for the sheet", fontsize=7.5)
    return figure


def limits(maps: NDArray[Any]) -> tuple[float, float]:
    """Return the ends of the colour scale: all but the most extreme hundredth at either end."""
    low, high = np.percentile(maps, (1, 99))
    return float(low), float(high) if high > low else float(low) + 1.0


def most_varied(maps: NDArray[Any], count: int = CHANNELS) -> list[int]:
    """Choose the channels whose activations vary most over pictures and places, in rising order."""
    spread = maps.std(axis=(0, 2, 3))
    return sorted(int(channel) for channel in np.argsort(-spread, kind="stable")[:count])


def picture(axes: Axes, run: RunFacts, row: int) -> None:
    """Draw the chosen picture `row` with its class to its left."""
    assert run.pictures is not None
    name = FASHION_MNIST_CLASSES[int(run.pictures["labels"][row])]
    axes.imshow(run.pictures["images"][row], cmap="gray_r", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_ylabel(
        f"{name}\n#{int(run.pictures['indices'][row])}",
        rotation=0,
        ha="right",
        va="center",
        fontsize=8,
        color=ink_of(class_colours(FASHION_MNIST_CLASSES)[name]),
        fontweight="bold",
    )
