"""The ladder: the most accurate recipe of each budget, as a table and as a figure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from fashioncnn.benchmarking.cost import prediction_macs, training_flops_an_image
from fashioncnn.data.sources.fashion_mnist import SHAPE
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load
from published import command, result, spread
from shared import ROOT

FIGURE = ROOT / "docs" / "ladder.png"
ELSEWHERE = ROOT / "benchmarks" / "elsewhere.toml"
# Recipes of the ladder: budget, and the best found elsewhere, as shared/anchors has it.
LADDER = {
    "micro": ("< 10,000 parameters", "none that can be trusted"),
    "tiny": ("< 100,000 parameters", "92.5"),
    "ten-epochs": ("the work of ten passes", "94.3"),
}
# Where names stand, in points from the marker, of points that lie close together.
PLACES: dict[tuple[str, str], tuple[int, int]] = {
    ("parameters", "ResNet-20, erasing"): (-112, 5),
    ("parameters", "ResNet-20"): (-64, 5),
    ("parameters", "Shake-Shake, cutout, SAM"): (-150, 5),
    ("parameters", "WRN-28-10, cutout, SAM"): (-140, -14),
    ("parameters", "WRN-28-10, basic"): (-100, 5),
    ("parameters", "fast-92"): (-50, -4),
    ("products", "ResNet-20, erasing"): (-112, 5),
    ("products", "ResNet-20"): (-64, 5),
    ("products", "fast-94"): (8, -12),
}


def ladder_table() -> str:
    """Return README's table of the most accurate recipe of each budget, in Markdown."""
    lines = [
        "| | budget | test accuracy, % | Shirt F1 | parameters | million products a picture "
        "| passes | to trained weights, s | found elsewhere, % | n |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    measured = []
    for name, (budget, elsewhere) in LADDER.items():
        accuracy, shirt, seconds, n = "not measured", "–", "–", "–"
        if one := result(name):
            measured.append(one)
            accuracy = spread(one, "test/accuracy", 100)
            shirt = spread(one, "test/f1/Shirt", digits=3)
            seconds, n = spread(one, "train/seconds", digits=0), str(one["n"])
        size, passes = f"{_parameters(name):,}", f"{_passes(name):.1f}"
        products = f"{_products(name) / 1e6:.1f}"
        cells = [accuracy, shirt, size, products, passes, seconds, elsewhere, n]
        lines.append(f"| **`{name}`** | {budget} | {' | '.join(cells)} |")
    runs = {
        f"`{command(one)}`, {one['date']}, on {one['machine']['hardware']}": None
        for one in measured
    }
    if runs:
        lines += [
            "",
            f"By {'; '.join(runs)}; final weights, one network, no views. "
            "Networks of the first two come along: `fashioncnn evaluate tiny`. "
            "[How they were chosen](docs/lab-notes.md).",
        ]
    return "\n".join(lines)


def _parameters(name: str) -> int:
    return sum(one.numel() for one in build_network(load(name), 10).parameters())


def _products(name: str) -> int:
    """Return the multiplications of one picture's forward pass."""
    recipe = load(name)
    return prediction_macs(build_network(recipe, 10), build_preparation(recipe), SHAPE)


def _passes(name: str) -> float:
    """Return how often the training goes over all pictures: hard ones alone count in part."""
    recipe = load(name)
    if recipe.selection is None:
        return recipe.training.epochs
    full = min(recipe.selection.full_epochs, recipe.training.epochs)
    return full + (recipe.training.epochs - full) * recipe.selection.kept_share


def draw_ladder() -> None:
    """Draw accuracy against parameters, and against the work of training."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    from fashioncnn.reporting.style import DPI, FAINT, INK, SETTINGS, VALIDATION

    points = [*_ours(), *tomllib.loads(ELSEWHERE.read_text())["system"]]
    panels = {
        "parameters": "parameters (log scale)",
        "products": "multiplications of the whole training (log scale)",
    }
    with rc_context(SETTINGS):
        figure = Figure(figsize=(11, 5), layout="constrained")
        for axes, (key, label) in zip(
            figure.subplots(1, 2, sharey=True), panels.items(), strict=True
        ):
            for point in points:
                if key not in point:
                    continue
                ours = "recipe" in point
                colour = VALIDATION if point["name"] in LADDER else INK if ours else FAINT
                axes.errorbar(
                    point[key],
                    point["accuracy"],
                    point.get("std", 0),
                    marker="o" if ours else "s",
                    color=colour,
                    capsize=2,
                    lw=1,
                )
                axes.annotate(
                    point["name"],
                    (point[key], point["accuracy"]),
                    textcoords="offset points",
                    xytext=PLACES.get((key, point["name"]), (7, 5)),
                    color=INK if colour == FAINT else colour,
                    weight="bold" if point["name"] in LADDER else "normal",
                    fontsize=9,
                )
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.set_xlabel(label)
            axes.grid(visible=True)
        figure.axes[0].set_ylabel("test accuracy, %")
        figure.suptitle(
            "Circles: recipes of this project, mean and standard deviation over seeds. "
            "Squares: found elsewhere",
            fontsize=10,
        )
        figure.savefig(FIGURE, dpi=DPI, metadata={"Software": None})


def _ours() -> list[Mapping[str, Any]]:
    """Return the recipes that were measured, with what they cost."""
    found: list[Mapping[str, Any]] = []
    for name in builtin_names():
        if (one := result(name)) is None:
            continue
        recipe = load(name)
        accuracy = one["metrics"]["test/accuracy"]
        pictures = 60_000 - recipe.data.validation_images
        # An operation is a product or a sum.
        products = training_flops_an_image(recipe) / 2 * _passes(name) * pictures
        found.append(
            {
                "name": name,
                "recipe": name,
                "accuracy": 100 * accuracy["mean"],
                "std": 100 * (accuracy["std"] or 0),
                "parameters": _parameters(name),
                "products": products,
            }
        )
    return found
