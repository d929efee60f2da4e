"""Maps of attribution beside their controls, and the curves that check them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashioncnn.reporting.document import AttributionPart
from fashioncnn.reporting.style import FAINT, INK, class_colours, ink_of

RED = "#a40e26"
METHOD_COLOURS = ("#332288", "#117733", "#CC6677")


def maps(found: AttributionPart, names: Sequence[str]) -> Figure:
    """Draw a row a picture: the picture, each method and its control, edges and noise."""
    colours = class_colours(names)
    rows, columns = len(found.labels), len(found.columns) + 1
    figure = Figure(figsize=(1.12 * columns + 1.3, 1.14 * rows + 0.5))
    # Half the time of the figure is its layout, which is known here.
    left = 1.3 / figure.get_figwidth()
    top = 1 - 0.45 / figure.get_figheight()
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={"left": left, "right": 1, "top": top, "bottom": 0, "wspace": 0.05},
    )
    pictures = found.images.values
    values = [column.maps.values for column in found.columns]
    for row in range(rows):
        true, answer = names[found.labels[row]], names[found.predicted[row]]
        grid[row, 0].imshow(pictures[row], cmap="gray_r")
        for axes, one in zip(grid[row, 1:], values, strict=True):
            axes.imshow(one[row], cmap="RdBu_r", vmin=-1, vmax=1)
        for axes in grid[row]:
            axes.set_xticks([])
            axes.set_yticks([])
        words = answer if true == answer else f"{answer}\n(truly {true})"
        grid[row, 0].set_ylabel(
            words, fontsize=7.5, rotation=0, ha="right", va="center", color=ink_of(colours[answer])
        )
    grid[0, 0].set_title("picture", fontsize=7.5, loc="center")
    for axes, column in zip(grid[0, 1:], found.columns, strict=True):
        title = column.title + ("\nFAILED" if column.failed else "")
        axes.set_title(title, fontsize=7.5, loc="center", color=RED if column.failed else INK)
    return figure


def curves(found: AttributionPart) -> Figure:
    """Draw the class's probability as pixels go, and as they come, by importance."""
    checks = found.checks.checks
    figure = Figure(figsize=(9.2, 3.7), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    colours = dict(
        zip((n for n in checks if checks[n].gain is not None), METHOD_COLOURS, strict=False)
    )
    for axes, key, title in (
        (panels[0], "deletion", "The most important pixels turn black"),
        (panels[1], "insertion", "The most important pixels appear on black"),
    ):
        for name, check in checks.items():
            curve = getattr(check, f"{key}_curve")
            style = {"color": colours[name], "lw": 2} if name in colours else {"color": FAINT}
            dashes = "--" if name == "edges" else ":" if name == "random" else "-"
            label = f"{'noise' if name == 'random' else name}: area {getattr(check, key):.2f}"
            axes.plot(np.linspace(0, 1, len(curve)), curve, dashes, label=label, **style)
        axes.set_title(title)
        axes.set_xlabel("share of the pixels")
        axes.set_ylim(0, 1.02)
        axes.grid(axis="y")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.legend(fontsize=8)
    panels[0].set_ylabel("probability of the answer")
    return figure
