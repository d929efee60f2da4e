"""How learning went: accuracy by class, and filters and feature maps, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fashioncnn.reporting.documents.inside import ExplainedPictures, Learning
from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.figures.pictures import on_dark, shown
from fashioncnn.reporting.tiles import Tiles

TILE = 0.62


def by_class(document: RunDocument) -> Figure:
    """Draw the validation accuracy of every class by epoch, the mean over the runs."""
    accuracies_EC = np.array(document.curves.accuracy_by_class)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for at in np.argsort(-accuracies_EC[-1], kind="stable"):
        one = document.classes[at]
        axes.plot(
            range(1, len(accuracies_EC) + 1),
            accuracies_EC[:, at],
            color=one.colour,
            lw=2,
            marker="o",
            ms=3.5,
            label=f"{one.name} ({accuracies_EC[-1, at]:.1%})",
        )
    axes.set_title("Validation accuracy by class")
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y")
    figure.legend(loc="outside right upper", fontsize=8.5, title="at the end", title_fontsize=8.5)
    return figure


def sheet(found: Learning, pictures: ExplainedPictures) -> Figure:
    """Draw a row an epoch: first filters, then what some layers make of one picture."""
    widths = [found.filters.shape[1], 2, *(len(one.channels) for one in found.layers)]
    figure = Figure(
        figsize=(TILE * sum(widths) + 1.6, TILE * len(found.epochs) + 1.2), layout="constrained"
    )
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    _draw(panels[0], found.filters, "RdBu_r")
    panels[0].set_xlabel("first filters", fontsize=8)
    images = pictures.images.values
    panels[1].imshow(shown(images[0], on_dark(images)), interpolation="nearest")
    panels[1].set_xlabel(f"picture\n#{pictures.indices[0]}", fontsize=8)
    panels[1].set(xticks=[], yticks=[])
    panels[1].spines[:].set_visible(False)
    for axes, one in zip(panels[2:], found.layers, strict=True):
        _draw(axes, one.maps, "viridis")
        axes.set_xlabel(f"{one.layer}\nchannels {', '.join(map(str, one.channels))}", fontsize=8)
    side = found.filters.shape[2] + GAP
    panels[0].set_yticks(
        [GAP + (side - GAP) / 2 - 0.5 + side * row for row in range(len(found.epochs))],
        ["untrained" if epoch == 0 else f"epoch {epoch}" for epoch in found.epochs],
        fontsize=8.5,
    )
    panels[0].tick_params(length=0)
    return figure


def _draw(axes: Axes, blocks: Tiles, colours: str) -> None:
    ends: dict[str, Any] = {"vmin": blocks.low, "vmax": blocks.high}
    tiles = [tile for row in blocks.values for tile in row]
    axes.imshow(mosaic(tiles, blocks.shape[1]), cmap=colours, interpolation="nearest", **ends)
    axes.set_facecolor("#c9ced4" if colours == "RdBu_r" else "white")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
