"""Plain-text tables for the terminal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fashioncnn.evaluation.scores import Scores
    from fashioncnn.recipes.schema import Recipe
    from fashioncnn.workflows.audit import Audit
    from fashioncnn.workflows.compare import Compared, Picture


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align `rows`, the first being the heading: words to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)


def recipes(listed: Sequence[Recipe]) -> str:
    """List recipes with their promises."""
    blocks = []
    for recipe in listed:
        promise = recipe.promise
        reached = (
            f"test accuracy {promise.test_accuracy_percent:.2f} ± {promise.std_percent:.2f} % "
            f"(n = {promise.n}) in {promise.seconds:.0f} s on {promise.hardware}"
            if promise
            else "not measured yet"
        )
        blocks.append(f"{recipe.name}\n  {recipe.summary}\n  {reached}")
    return "\n".join(blocks) + "\n\nOne in full: fashioncnn recipes NAME"


def spread(values: Sequence[float]) -> str:
    """Write shares as "91.93 ± 0.12 %", or "91.93 %" for one."""
    mean = f"{100 * statistics.fmean(values):.2f}"
    if len(values) == 1:
        return f"{mean} %"
    return f"{mean} ± {100 * statistics.stdev(values):.2f} %"


def validation(scores: Sequence[Scores]) -> str:
    """Say in a line what the validation pictures say, if there are any."""
    if not scores:
        return "Trained on all the training pictures: there are none left to validate on."
    first = scores[0]
    weakest = min(first.classes, key=lambda score: score.f1)
    f1 = [next(score.f1 for score in one.classes if score.name == weakest.name) for one in scores]
    accuracy = spread([one.accuracy for one in scores])
    runs = "" if len(scores) == 1 else f" (mean ± standard deviation of {len(scores)} seeds)"
    return (
        f"Validation ({first.n:,} pictures): accuracy {accuracy}, "
        f"{weakest.name} F1 {spread(f1)}{runs}"
    )


def compared(result: Compared) -> str:
    """Show a comparison of two groups of runs: the verdict, then what it rests on."""
    one = result.accuracy
    rows = [["F1 of class", "difference, points", "95 % interval", "p"]]
    rows += [
        [
            effect.name,
            f"{100 * effect.difference:+.2f}",
            f"[{100 * effect.low:+.2f}, {100 * effect.high:+.2f}]",
            f"{effect.adjusted_p_value:.3f}" + ("*" if effect.adjusted_p_value < 0.05 else " "),
        ]
        for effect in result.f1
    ]
    return "\n".join(
        [
            f"{result.verdict}.",
            "",
            f"accuracy   {result.reference} {one.accuracies[0]:.2%}, n = {one.runs[0]}; "
            f"{result.other} {one.accuracies[1]:.2%}, n = {one.runs[1]}; "
            f"p = {one.adjusted_p_value:.3g}",
            f"pictures   {one.gained:.0f} gained, {one.lost:.0f} lost, the mean over pairs of runs",
            *(f"recipe     {change} in {result.other}" for change in result.changes),
            "",
            table(rows),
            "* below 0.05, corrected for the number of classes",
            "",
            _pictures("most gained", result.gained),
            _pictures("most lost  ", result.lost),
        ]
    )


def audit(found: Audit, page: Path) -> str:
    """Say in a few lines what an audit of the data found."""
    exact = sum(pair.rms == 0 for pair in found.pairs)
    lines = [
        f"copies            {exact} exact, {len(found.pairs)} pairs within 10 greys, "
        f"{len(found.across)} of them of a training and a test picture",
        f"labels to look at {len(found.train_candidates):,} training, "
        f"{len(found.test_candidates):,} test: candidates, not errors",
    ]
    lines += [
        f"{one['run']}: accuracy {one['accuracy']:.2%}, without the candidates "
        f"{one['accuracy_without_candidates']:.2%}"
        for one in found.scores
    ]
    return "\n".join([*lines, f"The page: {page}"])


def _pictures(words: str, pictures: Sequence[Picture]) -> str:
    named = [f"#{picture.index} {picture.true}" for picture in pictures[:6]]
    return f"{words}  {', '.join(named) or 'none'}"
