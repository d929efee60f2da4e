"""The path of one picture through the whole network, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashioncnn.reporting.documents.inside import ExplainedPictures, PathStage, PathThroughNetwork
from fashioncnn.reporting.figures.mosaic import mosaic
from fashioncnn.reporting.style import class_colours, ink_of


def sheet(
    found: PathThroughNetwork, pictures: ExplainedPictures, class_names: Sequence[str]
) -> Figure:
    """Draw the first explained picture, its strongest channels stage by stage, the answer."""
    stages = found.stages
    width = 1.6 + 1.05 * len(stages) + 2.6
    figure = Figure(figsize=(width, 6.2), layout="constrained")
    panels = figure.subplots(1, len(stages) + 2, width_ratios=[1.6, *([1] * len(stages)), 2.2])
    name = class_names[pictures.labels[0]]
    panels[0].imshow(pictures.images.values[0], cmap="gray_r", vmin=0, vmax=255)
    colour = ink_of(class_colours(class_names)[name])
    panels[0].set_title(f"{name}\n#{pictures.indices[0]}", fontsize=9, color=colour, loc="center")
    _bare(panels[0])
    for axes, stage in zip(panels[1:-1], stages, strict=True):
        _stage(axes, stage)
        axes.set_title(stage.layer, fontsize=7.5, loc="center")
    _answer(panels[-1], found.probabilities, class_names)
    return figure


def _stage(axes: Axes, stage: PathStage) -> None:
    colours: dict[str, Any] = {
        "cmap": "viridis",
        "vmin": stage.answer.low,
        "vmax": stage.answer.high,
    }
    answer = stage.answer.values
    _bare(axes)
    if answer.ndim == 1:
        axes.imshow(answer[:, None], aspect="auto", interpolation="nearest", **colours)
        axes.set_xlabel(f"{len(answer)}\nfeatures", fontsize=8)
        return
    axes.imshow(mosaic(list(answer), 1), **colours)
    channels, height, width = stage.shape
    axes.set_xlabel(
        f"{channels} of\n{height}x{width}\n"
        f"here {', '.join(map(str, stage.channels[:3]))},\n"
        f"{', '.join(map(str, stage.channels[3:]))}",
        fontsize=7.5,
    )


def _answer(axes: Axes, probabilities: Sequence[float], names: Sequence[str]) -> None:
    rows = np.arange(len(names))
    axes.barh(rows, probabilities, color=[class_colours(names)[name] for name in names])
    axes.set_yticks(rows, names, fontsize=8)
    for row, value in enumerate(probabilities):
        axes.text(min(value, 0.72) + 0.02, row, f"{value:.1%}", va="center", fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 1], ["0", "1"], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_title("probability", fontsize=9, loc="center")


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
