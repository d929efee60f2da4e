"""Show how far validation lies above test, over runs of any recipes that set pictures aside.

A run's validation accuracy is that of the epoch whose weights are tested, which validation chose:
so the choice is part of what is shown. Each run is scored on test where it was not yet. Recipes
whose published results tell both are taken from there. Writes results/validation-gap.json and
docs/findings/validation-gap.png.

Usage: python benchmarks/validation_gap.py RUN...
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import fashioncnn as fc
from fashioncnn.evaluation.summary import summarise
from fashioncnn.opening.runs import open_runs
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load
from fashioncnn.runs import checkpoints
from fashioncnn.runs.directory import Run
from published import result
from shared import DOCS, write_result

FIGURE = DOCS / "validation-gap.png"


def of_run(run: Run) -> tuple[float, float]:
    """Return a run's accuracy on validation and on test."""
    epoch = checkpoints.load(run.checkpoints, "best").values["epoch"]
    return run.metrics[epoch - 1]["val/accuracy"], fc.evaluate(run).accuracy


def of_results() -> dict[str, list[tuple[float, float]]]:
    """Return the pairs of published results, by recipe."""
    found = {}
    for name in builtin_names():
        metrics = (result(name) or {}).get("metrics", {})
        if "val/accuracy" in metrics:
            pairs = (metrics[key]["values"] for key in ("val/accuracy", "test/accuracy"))
            found[name] = list(zip(*pairs, strict=True))
    return found


def title(run: Run) -> str:
    """Name a run by its recipe, and by its size where it is another than the built-in one."""
    recipe = load(run.recipe_file)
    if recipe.name in builtin_names() and recipe.model == load(recipe.name).model:
        return recipe.name
    return f"other {recipe.model.family}"


def main() -> None:
    """Collect, tell, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    published = of_results()
    pairs: dict[str, list[tuple[float, float]]] = {}
    for run in open_runs(parser.parse_args().runs):
        if load(run.recipe_file).data.validation_images and title(run) not in published:
            pairs.setdefault(title(run), []).append(of_run(run))
    pairs |= published
    points = {
        name: [100 * (validation - test) for validation, test in each]
        for name, each in sorted(pairs.items())
    }
    means = [statistics.fmean(each) for each in points.values()]
    facts: dict[str, Any] = {
        "command": "python benchmarks/validation_gap.py RUN...",
        "pairs": pairs,
        "points": {
            name: summarise([{"gap": one} for one in each])["gap"] for name, each in points.items()
        },
        "recipes": {"mean": statistics.fmean(means), "std": statistics.stdev(means)},
    }
    for name, mean in zip(points, means, strict=True):
        print(f"{name}: {mean:.2f} points, {len(points[name])} runs")
    print("recipes:", facts["recipes"])
    write_result("validation-gap", facts)
    draw(points)


def draw(points: dict[str, list[float]]) -> None:
    """Draw every run as a point, a row a recipe."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from fashioncnn.reporting.style import DPI, FAINT, SETTINGS, VALIDATION

    with rc_context(SETTINGS):
        figure = Figure(figsize=(8, 0.8 + 0.42 * len(points)), layout="constrained")
        axes = figure.add_subplot()
        for row, each in enumerate(points.values()):
            axes.plot(each, [row] * len(each), "o", color=VALIDATION, alpha=0.5, mew=0)
            axes.plot(statistics.fmean(each), row, "|", color=VALIDATION, ms=16, mew=2)
        axes.axvline(0, color=FAINT, lw=1)
        axes.set_yticks(
            range(len(points)), [f"{name} (n = {len(each)})" for name, each in points.items()]
        )
        axes.invert_yaxis()
        axes.set_xlabel("validation accuracy minus test accuracy, points")
        axes.set_title("A point is a run; a bar the mean of a row")
        axes.grid(visible=True, axis="x")
        figure.savefig(FIGURE, dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    main()
