"""The published system's figures beside ours, row by row, with a plain verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fashioncnn.evaluation.summary import summarise
from fashioncnn.reporting.facts import Group


@dataclass(frozen=True)
class Row:
    """One figure: as reported, ours (mean and sample standard deviation), and the verdict."""

    name: str
    reported: float
    mean: float
    std: float | None
    verdict: str


def rows(group: Group) -> list[Row]:
    """Return a row for every figure that the recipe's source reports; none where it has none."""
    return [
        _row(name, reported, measured, higher_is_better)
        for name, reported, measured, higher_is_better in _reported(group)
    ]


def _reported(group: Group) -> Iterator[tuple[str, float, list[float], bool]]:
    reported = group.recipe.reported
    if reported is None:
        return

    def ours(metric: str) -> list[float]:
        return [float(value) for value in group.values(metric)]

    yield "accuracy", reported.accuracy, ours("test/accuracy"), True
    if reported.f1_weighted is not None:
        yield "F1, mean by support", reported.f1_weighted, ours("test/f1_weighted"), True
    if reported.train_loss is not None:
        last = [curve[-1] for curve in group.curves("train/loss")]
        yield "loss on training pictures, last epoch", reported.train_loss, last, False
    if reported.val_loss is not None:
        yield "loss on held-out pictures", reported.val_loss, ours("test/loss"), False
    for name, figures in reported.classes.items():
        for key, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            value = getattr(figures, key)
            if value is not None:
                yield f"{name}: {label}", value, ours(f"test/{key}/{name}"), True


def _row(name: str, reported: float, values: list[float], higher_is_better: bool) -> Row:
    ours = summarise([{name: value} for value in values])[name]
    mean, std = ours["mean"], ours["std"]
    # Reported figures have two decimals at least: half of the last one is their own uncertainty.
    margin = (std or 0.0) + 0.005
    difference = (mean - reported) if higher_is_better else (reported - mean)
    if abs(difference) <= margin:
        verdict = "about the same"
    else:
        verdict = "better" if difference > 0 else "worse"
    if std is None:
        verdict += ", one seed"
    return Row(name, reported, mean, std, verdict)
