"""Maps of attribution beside their controls, and the curves that check them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fashioncnn.reporting.facts import RunFacts
from fashioncnn.reporting.style import FAINT, INK, class_colours, ink_of

METHOD_COLOURS = ("#332288", "#117733", "#CC6677")


def maps(run: RunFacts) -> Figure:
    """Draw a row a picture: the picture, each method and its control, edges and noise."""
    assert run.attributions is not None
    assert run.attribution_checks is not None
    assert run.scores is not None
    found, checks = run.attributions, run.attribution_checks["checks"]
    names = [score.name for score in run.scores.classes]
    colours = class_colours(names)
    methods = [name.removeprefix("map ") for name in found if name.startswith("map ")]
    columns = [("picture", "images")]
    for name in methods:
        failed = "\nFAILED" if checks[name]["failures"] else ""
        columns += [(name + failed, f"map {name}"), ("random\nweights", f"control {name}")]
    columns += [("edges", "edges"), ("noise", "random")]
    rows = len(found["labels"])
    figure = Figure(figsize=(1.12 * len(columns) + 1.3, 1.14 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for row in range(rows):
        true, answer = names[found["labels"][row]], names[found["predicted"][row]]
        for axes, (title, key) in zip(grid[row], columns, strict=True):
            values = found[key][row]
            if key == "images":
                axes.imshow(values, cmap="gray_r")
            else:
                limit = float(np.abs(values).max()) or 1.0
                axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
            axes.set_xticks([])
            axes.set_yticks([])
            if row == 0:
                red = "#a40e26" if "FAILED" in title else INK
                axes.set_title(title, fontsize=7.5, loc="center", color=red)
        words = answer if true == answer else f"{answer}\n(truly {true})"
        grid[row, 0].set_ylabel(
            words, fontsize=7.5, rotation=0, ha="right", va="center", color=ink_of(colours[answer])
        )
    return figure


def curves(run: RunFacts) -> Figure:
    """Draw the class's probability as pixels go, and as they come, by importance."""
    assert run.attribution_checks is not None
    checks = run.attribution_checks["checks"]
    figure = Figure(figsize=(9.2, 3.7), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    colours = dict(
        zip((n for n in checks if checks[n]["gain"] is not None), METHOD_COLOURS, strict=False)
    )
    for axes, key, title in (
        (panels[0], "deletion", "The most important pixels turn black"),
        (panels[1], "insertion", "The most important pixels appear on black"),
    ):
        for name, check in checks.items():
            curve = check[f"{key}_curve"]
            style = {"color": colours[name], "lw": 2} if name in colours else {"color": FAINT}
            dashes = "--" if name == "edges" else ":" if name == "random" else "-"
            label = f"{'noise' if name == 'random' else name}: area {check[key]:.2f}"
            axes.plot(np.linspace(0, 1, len(curve)), curve, dashes, label=label, **style)
        axes.set_title(title)
        axes.set_xlabel("share of the pixels")
        axes.set_ylim(0, 1.02)
        axes.grid(axis="y")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.legend(fontsize=8)
    panels[0].set_ylabel("probability of the answer")
    return figure
