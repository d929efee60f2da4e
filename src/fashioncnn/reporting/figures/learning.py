"""How learning went: accuracy by class, and filters and feature maps, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from fashioncnn.reporting.facts import Group, RunFacts
from fashioncnn.reporting.figures.feature_maps import limits
from fashioncnn.reporting.figures.mosaic import GAP, mosaic
from fashioncnn.reporting.style import class_colours

TILE = 0.62


def by_class(group: Group) -> Figure:
    """Draw the validation accuracy of every class by epoch, the mean over the runs."""
    assert group.first.scores is not None
    names = [score.name for score in group.first.scores.classes]
    curves = group.curves("val/accuracy_by_class")
    shortest = min(len(curve) for curve in curves)
    mean_EC = np.mean([np.array(curve[:shortest]) for curve in curves], axis=0)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for at in np.argsort(-mean_EC[-1], kind="stable"):
        axes.plot(
            range(1, shortest + 1),
            mean_EC[:, at],
            color=class_colours(names)[names[at]],
            lw=2,
            marker="o",
            ms=3.5,
            label=f"{names[at]} ({mean_EC[-1, at]:.1%})",
        )
    axes.set_title("Validation accuracy by class")
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y")
    figure.legend(loc="outside right upper", fontsize=8.5, title="at the end", title_fontsize=8.5)
    return figure


def sheet(run: RunFacts) -> Figure:
    """Draw a row an epoch: first filters, then what some layers make of one picture."""
    assert run.learning is not None
    assert run.pictures is not None
    found = run.learning
    epochs = [int(epoch) for epoch in found["epochs"]]
    layers = [key.removeprefix("maps ") for key in found if key.startswith("maps ")]
    widths = [found["filters"].shape[1], 2, *(found[f"maps {layer}"].shape[1] for layer in layers)]
    figure = Figure(
        figsize=(TILE * sum(widths) + 1.6, TILE * len(epochs) + 1.2), layout="constrained"
    )
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    largest = float(np.abs(found["filters"]).max()) or 1.0
    _draw(panels[0], found["filters"], "RdBu_r", (-largest, largest))
    panels[0].set_xlabel("first filters", fontsize=8)
    panels[1].imshow(run.pictures["images"][0], cmap="gray_r", vmin=0, vmax=255)
    panels[1].set_xlabel(f"picture\n#{run.pictures['indices'][0]}", fontsize=8)
    panels[1].set(xticks=[], yticks=[])
    panels[1].spines[:].set_visible(False)
    for axes, layer in zip(panels[2:], layers, strict=True):
        maps = found[f"maps {layer}"]
        _draw(axes, maps, "viridis", limits(maps))
        channels = ", ".join(str(channel) for channel in found[f"channels {layer}"])
        axes.set_xlabel(f"{layer}\nchannels {channels}", fontsize=8)
    side = found["filters"].shape[2] + GAP
    panels[0].set_yticks(
        [GAP + (side - GAP) / 2 - 0.5 + side * row for row in range(len(epochs))],
        ["untrained" if epoch == 0 else f"epoch {epoch}" for epoch in epochs],
        fontsize=8.5,
    )
    panels[0].tick_params(length=0)
    return figure


def _draw(axes: Axes, blocks: NDArray[Any], colours: str, ends: tuple[float, float]) -> None:
    tiles = [tile for row in blocks for tile in row]
    axes.imshow(
        mosaic(tiles, blocks.shape[1]),
        cmap=colours,
        vmin=ends[0],
        vmax=ends[1],
        interpolation="nearest",
    )
    axes.set_facecolor("#c9ced4" if colours == "RdBu_r" else "white")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
