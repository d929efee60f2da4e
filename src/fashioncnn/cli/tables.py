"""Plain-text tables for the terminal."""

from __future__ import annotations

import json
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from fashioncnn.recipes.keys import Key
    from fashioncnn.reporting.documents.comparison import ChangedPictures, ComparedPart
    from fashioncnn.workflows.audit import Audit
    from fashioncnn.workflows.show_data import DataFacts


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


def data(found: DataFacts) -> str:
    """Show how many pictures of which class a data set has, and what is odd."""
    channels, height, width = found.shape
    colour = "grey" if channels == 1 else "colour"
    rows = [["class", *found.counts]]
    for index, name in enumerate(found.class_names):
        rows.append([name, *(f"{counts[index]:,}" for counts in found.counts.values())])
    rows.append(["all", *(f"{sum(counts):,}" for counts in found.counts.values())])
    head = f"{found.name} ({found.kind}): {len(found.class_names)} classes, {colour}, "
    odd = [f"odd: {one}" for one in found.odd] or ["nothing odd"]
    return "\n".join([f"{head}{height} x {width}", "", table(rows), "", *odd])


def recipes(listed: Sequence[Mapping[str, Any]]) -> str:
    """List recipes, as their tables are written, with their promises."""
    blocks = []
    for recipe in listed:
        promise = recipe.get("promise")
        reached = (
            "test accuracy {test_accuracy_percent:.2f} ± {std_percent:.2f} % (n = {n}) in "
            "{seconds:.0f} s on {hardware}".format(**promise)
            if promise
            else "not measured yet"
        )
        blocks.append(f"{recipe['name']}\n  {recipe['summary']}\n  {reached}")
    return "\n".join(blocks) + "\n\nOne in full: fashioncnn recipes NAME"


def keys(listed: Sequence[Key]) -> str:
    """List every key of a recipe: what it may hold, its default, what it means."""
    lines = []
    for key in listed:
        chosen = f"  ({key.choice})" if key.choice else ""
        default = "needed" if key.required else f"default {_default(key)}"
        lines.append(f"{key.name}{chosen}")
        words = f"{key.allowed}; {default}. {key.meaning}".rstrip(". ") + "."
        lines += textwrap.wrap(words, 76, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def _default(key: Key) -> str:
    return "none" if key.default in (None, {}) else json.dumps(key.default)


def spread(values: Sequence[float]) -> str:
    """Write shares as "91.93 ± 0.12 %", or "91.93 %" for one."""
    mean = f"{100 * statistics.fmean(values):.2f}"
    if len(values) == 1:
        return f"{mean} %"
    return f"{mean} ± {100 * statistics.stdev(values):.2f} %"


def validation(runs: Sequence[Mapping[str, float]]) -> str:
    """Say in a line what the best epochs scored on validation, if there was any."""
    if not runs:
        return "Trained on all the training pictures: there are none left to validate on."
    accuracy = spread([one["val/accuracy"] for one in runs])
    loss = statistics.fmean(one["val/loss"] for one in runs)
    several = "" if len(runs) == 1 else f" (mean ± standard deviation of {len(runs)} seeds)"
    return f"Validation, best epoch: accuracy {accuracy}, loss {loss:.4f}{several}"


def tested(runs: Sequence[Mapping[str, float]]) -> str:
    """Return what the page of one or more runs says first: how they did on test."""
    accuracy = spread([one["test/accuracy"] for one in runs])
    several = f" (mean ± standard deviation of {len(runs)} runs)" if len(runs) > 1 else ""
    return f"Test: accuracy {accuracy}{several}"


def compared(one: ComparedPart) -> str:
    """Show a comparison of two groups of runs: the verdict, then what it rests on."""
    rows = [["F1 of class", "difference, points", "95 % interval", "p"]]
    rows += [
        [
            effect.name,
            f"{100 * effect.difference:+.2f}",
            f"[{100 * effect.low:+.2f}, {100 * effect.high:+.2f}]",
            p_value(effect.adjusted_p_value) + ("*" if effect.adjusted_p_value < 0.05 else " "),
        ]
        for effect in one.f1
    ]
    return "\n".join(
        [
            f"{one.verdict}.",
            "",
            f"accuracy   {one.reference} {one.accuracies[0]:.2%}, n = {one.runs[0]}; "
            f"{one.other} {one.accuracies[1]:.2%}, n = {one.runs[1]}; "
            f"p = {one.accuracy.adjusted_p_value:.3g}",
            f"pictures   {one.gained_count:.0f} gained, {one.lost_count:.0f} lost"
            + (", the mean over pairs of runs" if max(one.runs) > 1 else ""),
            *(f"recipe     {one.other}: {change}" for change in one.changes),
            "",
            table(rows),
            "* below 0.05, corrected for the number of classes",
            "",
            _pictures("most gained", one.gained),
            _pictures("most lost  ", one.lost),
        ]
    )


def p_value(value: float) -> str:
    """Write a p-value with three digits behind the point."""
    return f"{value:.3f}" if value >= 0.001 else "<.001"


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


def _pictures(words: str, found: ChangedPictures | None) -> str:
    named = []
    if found:
        pairs = zip(found.indices, found.true, strict=True)
        named = [f"#{index} {true}" for index, true in pairs][:6]
    return f"{words}  {', '.join(named) or 'none'}"
