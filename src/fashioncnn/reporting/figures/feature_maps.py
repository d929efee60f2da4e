"""The feature maps of one layer, for chosen test pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.reporting.facts import Arrays, RunFacts
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.style import class_colours, ink_of

CHANNELS = 16


def sheet(run: RunFacts, layer: str) -> Figure:
    """Draw a row a picture: the picture, then the layer's most varied channels or all features."""
    assert run.feature_maps is not None
    assert run.pictures is not None
    maps = run.feature_maps[layer]
    rows = len(maps)
    channels = most_varied(maps)[:CHANNELS] if maps.ndim == 4 else []
    width = len(channels) + 1.0 if channels else 14.0
    figure = Figure(figsize=(2.4 + 0.66 * width, 0.66 * rows + 1.1), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, width - 1])
    plot_pictures(left, run.pictures, list(range(rows)))
    if channels:
        plot_maps(right, maps, list(range(rows)), channels)
        part = f", the {len(channels)} most varied by number" if maps.shape[1] > CHANNELS else ""
        title = f"{maps.shape[1]} channels of {maps.shape[2]}x{maps.shape[3]}{part}"
    else:
        _plot_features(right, maps)
        title = f"{maps.shape[1]} features"
    figure.suptitle(f"{layer}: {title}", x=0.01, ha="left", fontsize=11, fontweight="bold")
    bar = figure.colorbar(right.images[0], ax=right, fraction=0.02, pad=0.01, extend="both")
    bar.ax.tick_params(labelsize=7.5)
    bar.set_label("activation, one scale for the sheet", fontsize=8)
    return figure


def plot_maps(axes: Axes, maps: NDArray[Any], rows: list[int], channels: list[int]) -> None:
    """Draw the maps of `rows` and `channels` as one mosaic, the channels' numbers on top."""
    low, high = limits(maps)
    tiles = [maps[row, channel] for row in rows for channel in channels]
    axes.imshow(mosaic(tiles, len(channels)), cmap="viridis", vmin=low, vmax=high)
    step = maps.shape[3] + GAP
    middles = [GAP + (step - GAP) / 2 - 0.5 + step * index for index in range(len(channels))]
    axes.set_xticks(middles, [str(channel) for channel in channels], fontsize=8)
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _plot_features(axes: Axes, maps: NDArray[Any]) -> None:
    low, high = limits(maps)
    features = maps.shape[1]
    axes.imshow(maps, aspect="auto", cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
    axes.hlines(np.arange(1, len(maps)) - 0.5, -0.5, features - 0.5, color="white", lw=3)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if features == len(FASHION_MNIST_CLASSES):
        axes.set_xticks(range(features), FASHION_MNIST_CLASSES, fontsize=8, rotation=30, ha="right")
    else:
        axes.set_xlabel(f"feature, 0 to {features - 1}", fontsize=8)
        axes.tick_params(labelsize=8)


def plot_pictures(axes: Axes, pictures: Arrays, rows: list[int]) -> None:
    """Draw the chosen pictures of `rows` one below the other, with class and number."""
    images = [255.0 - pictures["images"][row] for row in rows]
    sheet = mosaic(images, 1)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    step = images[0].shape[0] + GAP
    names = [FASHION_MNIST_CLASSES[int(pictures["labels"][row])] for row in rows]
    axes.set_yticks(
        [GAP + (step - GAP) / 2 - 0.5 + step * index for index in range(len(rows))],
        [f"{name}\n#{pictures['indices'][row]}" for name, row in zip(names, rows, strict=True)],
        fontsize=8,
        fontweight="bold",
    )
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(ink_of(class_colours(FASHION_MNIST_CLASSES)[name]))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def limits(maps: NDArray[Any]) -> tuple[float, float]:
    """Return the ends of the colour scale: all but the most extreme hundredth at either end."""
    low, high = np.percentile(maps, (1, 99))
    return float(low), float(high) if high > low else float(low) + 1.0


def most_varied(maps: NDArray[Any], count: int = CHANNELS) -> list[int]:
    """Choose the channels whose activations vary most over pictures and places, in rising order."""
    spread = maps.std(axis=(0, 2, 3))
    return sorted(int(channel) for channel in np.argsort(-spread, kind="stable")[:count])
