"""Maps of attribution beside their controls, and the curves that check them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashioncnn.reporting.documents.inside import AttributionPart
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import FAINT, INK, class_colours, ink_of

RED = "#a40e26"
METHOD_COLOURS = ("#332288", "#117733", "#CC6677")


def maps(found: AttributionPart, names: Sequence[str]) -> Sheet:
    """Draw a row a picture: the picture, each method and its control, edges and noise."""
    colours = class_colours(names)
    pictures = found.images.values
    columns = [column.maps.values for column in found.columns]
    rows, words, inks = [], [], []
    for row, picture in enumerate(pictures):
        first = row == 0
        tiles = [Tile(picture, "picture" if first else "", frame="white")]
        for column, values in zip(found.columns, columns, strict=True):
            title = column.title + ("\nFAILED" if column.failed else "")
            colour = RED if column.failed else INK
            tiles.append(Tile(values[row], title if first else "", "", "white", colour))
        rows.append(tiles)
        true, answer = names[found.labels[row]], names[found.predicted[row]]
        words.append(answer if true == answer else f"{answer}\n(truly {true})")
        inks.append(ink_of(colours[answer]))
    return contact_sheet(rows, words, inks, scale="RdBu_r", ends=(-1, 1))


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
