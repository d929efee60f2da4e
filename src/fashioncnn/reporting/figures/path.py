"""The path of one picture through the whole network, on one sheet."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.figures.feature_maps import limits
from fashioncnn.reporting.figures.mosaic import mosaic
from fashioncnn.reporting.style import class_colours, ink_of

CHANNELS = 6


def sheet(run: RunFacts) -> Figure:
    """Draw the first explained picture, its strongest channels stage by stage, the answer."""
    assert run.pictures is not None
    assert run.feature_maps is not None
    stages = [str(name) for name in run.pictures["stages"]]
    width = 1.6 + 1.05 * len(stages) + 2.6
    figure = Figure(figsize=(width, 6.2), layout="constrained")
    panels = figure.subplots(1, len(stages) + 2, width_ratios=[1.6, *([1] * len(stages)), 2.2])
    label = FASHION_MNIST_CLASSES[int(run.pictures["labels"][0])]
    panels[0].imshow(run.pictures["images"][0], cmap="gray_r", vmin=0, vmax=255)
    panels[0].set_title(
        f"{label}\n#{run.pictures['indices'][0]}", fontsize=9, color=_ink(label), loc="center"
    )
    _bare(panels[0])
    for axes, stage in zip(panels[1:-1], stages, strict=True):
        _stage(axes, run.feature_maps[stage][0], limits(run.feature_maps[stage]))
        axes.set_title(stage, fontsize=7.5, loc="center")
    _answer(panels[-1], run.pictures["probabilities"][0])
    return figure


def _stage(axes: Axes, answer: NDArray[Any], ends: tuple[float, float]) -> None:
    colours: dict[str, Any] = {"cmap": "viridis", "vmin": ends[0], "vmax": ends[1]}
    _bare(axes)
    if answer.ndim == 1:
        axes.imshow(answer[:, None], aspect="auto", interpolation="nearest", **colours)
        axes.set_xlabel(f"{len(answer)}\nfeatures", fontsize=8)
        return
    strongest = np.argsort(-answer.mean((1, 2)), kind="stable")[:CHANNELS]
    axes.imshow(mosaic([answer[channel] for channel in strongest], 1), **colours)
    axes.set_xlabel(
        f"{len(answer)} of\n{answer.shape[1]}x{answer.shape[2]}\n"
        f"here {', '.join(map(str, strongest[:3]))},\n{', '.join(map(str, strongest[3:]))}",
        fontsize=7.5,
    )


def _answer(axes: Axes, probabilities: NDArray[Any]) -> None:
    names = FASHION_MNIST_CLASSES
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


def _ink(name: str) -> str:
    return ink_of(class_colours(FASHION_MNIST_CLASSES)[name])


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
