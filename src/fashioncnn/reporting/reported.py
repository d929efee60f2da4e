"""The published system's figures beside ours, row by row, with a plain verdict."""

from __future__ import annotations

from collections.abc import Iterator

from fashioncnn.evaluation.intervals import further_run
from fashioncnn.evaluation.summary import summarise
from fashioncnn.reporting.documents.run import ReportedRow
from fashioncnn.reporting.groups import Group


def reported_rows(group: Group) -> Iterator[ReportedRow]:
    """Yield a row for every figure that the recipe's source reports; none where it has none."""
    for name, reported, measured, higher_is_better in _reported(group):
        yield _row(name, reported, measured, higher_is_better)


def _reported(group: Group) -> Iterator[tuple[str, float, list[float], bool]]:
    reported = group.first.recipe.get("reported")
    if not reported:
        return

    def ours(metric: str) -> list[float]:
        return [float(value) for value in group.values(metric)]

    yield "accuracy", reported["accuracy"], ours("test/accuracy"), True
    if (f1 := reported.get("f1_weighted")) is not None:
        yield "F1, mean by support", f1, ours("test/f1_weighted"), True
    if (loss := reported.get("train_loss")) is not None:
        last = [curve[-1] for curve in group.curves("train/loss")]
        yield "loss on training pictures, last epoch", loss, last, False
    if (loss := reported.get("val_loss")) is not None:
        yield "loss on held-out pictures", loss, ours("test/loss"), False
    for name, figures in reported.get("classes", {}).items():
        for key, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            if (value := figures.get(key)) is not None:
                yield f"{name}: {label}", value, ours(f"test/{key}/{name}"), True


def _row(name: str, reported: float, values: list[float], higher_is_better: bool) -> ReportedRow:
    ours = summarise([{name: value} for value in values])[name]
    mean, std = ours["mean"], ours["std"]
    # Most reported figures have two decimals: half a hundredth is their own uncertainty.
    rounding = 0.005
    difference = (mean - reported) if higher_is_better else (reported - mean)
    if abs(difference) <= (std or 0.0) + rounding:
        verdict = "about the same"
    elif std is not None and abs(difference) <= further_run(std, len(values)) + rounding:
        verdict = "may be chance"
    else:
        verdict = "better" if difference > 0 else "worse"
    if std is None:
        verdict += ", one seed"
    return ReportedRow(name, reported, mean, std, verdict)
