"""The feature maps of one layer, for chosen test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.reporting.documents.inside import ExplainedPictures, MapSheet
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.style import class_colours, ink_of

TILE = 0.66


def sheet(one: MapSheet, pictures: ExplainedPictures, class_names: Sequence[str]) -> Figure:
    """Draw a row a picture: the picture, then the layer's most varied channels or all features."""
    maps = one.maps.values
    rows, spatial = len(maps), maps.ndim == 4
    width = maps.shape[1] + 1.0 if spatial else 14.0
    # Placed by hand, in inches, which takes half of the time that a layout engine does.
    size = (2.4 + TILE * width, TILE * rows + 1.1)
    figure = Figure(figsize=size)
    bottom, high = 0.35 if spatial else 0.75, TILE * rows
    left = _axes(figure, (0.95, bottom, TILE, high))
    right = _axes(figure, (1.05 + TILE, bottom, TILE * (width - 1), high))
    scale = _axes(figure, (1.15 + TILE * width, bottom, 0.12, high))
    plot_pictures(left, pictures, class_names, range(rows))
    if spatial:
        plot_maps(right, one, maps, range(rows), range(maps.shape[1]))
        some = maps.shape[1] < one.channel_count
        part = f", the {maps.shape[1]} most varied by number" if some else ""
        title = f"{one.channel_count} channels of {maps.shape[2]}x{maps.shape[3]}{part}"
    else:
        _plot_features(right, one, maps, class_names)
        title = f"{maps.shape[1]} features"
    figure.suptitle(f"{one.layer}: {title}", x=0.01, ha="left", fontsize=11, fontweight="bold")
    bar = figure.colorbar(right.images[0], cax=scale, extend="both")
    bar.ax.tick_params(labelsize=7.5)
    bar.set_label("activation, one scale for the sheet", fontsize=8)
    return figure


def _axes(figure: Figure, inches: tuple[float, float, float, float]) -> Axes:
    width, height = figure.get_size_inches()
    left, bottom, wide, high = inches
    return figure.add_axes((left / width, bottom / height, wide / width, high / height))


def plot_maps(
    axes: Axes, one: MapSheet, maps: NDArray[Any], rows: Sequence[int], columns: Sequence[int]
) -> None:
    """Draw the maps of `rows` and `columns` as one mosaic, the channels' numbers on top."""
    tiles = [maps[row, column] for row in rows for column in columns]
    axes.imshow(
        mosaic(tiles, len(columns)),
        cmap="viridis",
        vmin=one.maps.low,
        vmax=one.maps.high,
        interpolation="nearest",
    )
    step = maps.shape[3] + GAP
    middles = [GAP + (step - GAP) / 2 - 0.5 + step * index for index in range(len(columns))]
    axes.set_xticks(middles, [str(one.channels[column]) for column in columns], fontsize=8)
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _plot_features(
    axes: Axes, one: MapSheet, maps: NDArray[Any], class_names: Sequence[str]
) -> None:
    ends: dict[str, Any] = {"vmin": one.maps.low, "vmax": one.maps.high}
    features = maps.shape[1]
    axes.imshow(maps, aspect="auto", cmap="viridis", interpolation="nearest", **ends)
    axes.hlines(np.arange(1, len(maps)) - 0.5, -0.5, features - 0.5, color="white", lw=3)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if features == len(class_names):
        axes.set_xticks(range(features), class_names, fontsize=8, rotation=30, ha="right")
    else:
        axes.set_xlabel(f"feature, 0 to {features - 1}", fontsize=8)
        axes.tick_params(labelsize=8)


def plot_pictures(
    axes: Axes, pictures: ExplainedPictures, class_names: Sequence[str], rows: Sequence[int]
) -> None:
    """Draw the chosen pictures of `rows` one below the other, with class and number."""
    values = pictures.images.values
    images = [255.0 - values[row] for row in rows]
    axes.imshow(mosaic(images, 1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    step = images[0].shape[0] + GAP
    names = [class_names[pictures.labels[row]] for row in rows]
    axes.set_yticks(
        [GAP + (step - GAP) / 2 - 0.5 + step * index for index in range(len(rows))],
        [f"{name}\n#{pictures.indices[row]}" for name, row in zip(names, rows, strict=True)],
        fontsize=8,
        fontweight="bold",
    )
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(ink_of(class_colours(class_names)[name]))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
