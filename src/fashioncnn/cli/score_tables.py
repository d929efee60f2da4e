"""Tables of scores, confidence and cost, for the terminal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fashioncnn.cli.tables import spread, table

if TYPE_CHECKING:
    from fashioncnn.evaluation.confidence import Confidence
    from fashioncnn.evaluation.intervals import Interval
    from fashioncnn.evaluation.scores import Scores
    from fashioncnn.runs.contents import Cost, Stress, UnknownPictures


# A wider matrix fits on no terminal.
MOST_COLUMNS = 20


def scores(result: Scores, intervals: Mapping[str, Interval]) -> str:
    """Show one run's scores, whole; `intervals` by metric name, as of `Scores.metrics`."""
    prefix = next(iter(intervals)).split("/")[0]
    rows = [["class", "precision", "recall", "F1", "95 % interval of F1", "pictures"]]
    for score in result.classes:
        figures = [f"{value:.4f}" for value in (score.precision, score.recall, score.f1)]
        interval = intervals[f"{prefix}/f1/{score.name}"]
        rows.append([score.name, *figures, _bounds(interval, 1, 4), f"{score.support:,}"])
    for words, score in (("mean over classes", result.macro), ("mean by support", result.weighted)):
        figures = [f"{value:.4f}" for value in (score.precision, score.recall, score.f1)]
        interval = intervals[f"{prefix}/f1_{score.name}"]
        rows.append([words, *figures, _bounds(interval, 1, 4), f"{score.support:,}"])
    confusions = [
        f"  {pair.true} taken for {pair.predicted}: {pair.count} ({pair.share:.1%} of its pictures)"
        for pair in result.top_confusions[:5]
    ]
    return "\n".join(
        [
            f"accuracy {result.accuracy:.2%} {_bounds(intervals[f'{prefix}/accuracy'], 100, 2)}   "
            f"loss {result.loss:.4f}   {result.n:,} pictures",
            "",
            table(rows),
            "",
            confusion(result),
            "",
            "most frequent confusions",
            *confusions,
            mistakes(result),
        ]
    )


def _bounds(interval: Interval, scale: float, digits: int) -> str:
    return f"[{scale * interval.low:.{digits}f}, {scale * interval.high:.{digits}f}]"


def cost(found: Cost) -> str:
    """Say in a line what a network costs to keep and to ask."""
    latency = f"{found.p50_milliseconds:.2f} ms (p99 {found.p99_milliseconds:.2f})"
    return (
        f"{found.parameters:,} parameters, {found.weight_bytes / 1e6:.2f} MB; a picture "
        f"takes {found.macs / 1e6:.2f} million multiplications, {latency} on "
        f"{found.hardware}"
    )


def unknown(found: UnknownPictures) -> str:
    """Say how well a network notices pictures that are nothing it knows."""
    signs = [
        f"by {sign} AUROC {one.auroc:.3f}, {one.false_positive_rate:.1%} pass for known"
        for sign, one in (("probability", found.probability), ("energy", found.energy))
    ]
    return f"{found.path}: {found.n:,} unknown pictures, {'; '.join(signs)}"


def stress(run: str, found: Stress) -> str:
    """Show accuracies on worse pictures, and how well unknown ones are noticed."""
    rows = [["made worse by", *(f"severity {severity}" for severity in range(1, 6)), "from, to"]]
    for name, one in found.corruptions.items():
        accuracies = [f"{accuracy:.2%}" for accuracy in one.accuracies]
        strengths = one.strengths
        rows.append([name, *accuracies, f"{strengths[0]:g}, {strengths[-1]:g} {one.unit}"])
    signs = [["unknown pictures", "AUROC", "FPR 95", "AUROC by energy", "FPR 95 by energy"]]
    for name, by_sign in found.unknown.items():
        figures = [by_sign["probability"], by_sign["energy"]]
        cells = [(f"{sign.auroc:.3f}", f"{sign.false_positive_rate:.1%}") for sign in figures]
        signs.append([name, *(cell for pair in cells for cell in pair)])
    return "\n".join(
        [
            f"{run}: accuracy {found.accuracy:.2%} on the pictures as they are",
            "",
            table(rows),
            "",
            table(signs),
        ]
    )


def mistakes(result: Scores) -> str:
    """Say in a line how many mistakes stay among classes that look alike."""
    from fashioncnn.evaluation.class_groups import group_confusion

    names = [score.name for score in result.classes]
    groups, wrong = group_confusion(result.confusion, names)
    within = [
        f"{count:.0f} among {group}"
        for group, count in zip(groups, wrong.diagonal(), strict=True)
        if count
    ]
    across = wrong.sum() - wrong.trace()
    told = [*within, f"{across:.0f} across"] if within and across else []
    return f"{wrong.sum():.0f} mistakes{': ' if told else ''}{', '.join(told)}"


def confidence(found: Confidence) -> str:
    """Show how true the probabilities are, and what answering only when sure would give."""
    raw, mended = found.as_trained, found.with_temperature
    rows = [["probabilities", "ECE", "by chance", "ECE, equal mass", "NLL", "Brier"]]
    for words, one in (("as trained", raw), ("with temperature", mended)):
        if one:
            if words != "as trained":
                words += f" {one.temperature:.2f}"
            figures = (one.ece, one.ece_by_chance, one.ece_equal_mass, one.nll, one.brier)
            rows.append([words, *("–" if it is None else f"{it:.4f}" for it in figures)])
    lines = [table(rows), ""]
    if mended is None:
        lines.append(
            "fewer than 100 validation pictures: no temperature fitted, no threshold chosen"
        )
    lines += [
        f"answering when at least {at.confidence:.1%} sure (chosen on validation for "
        f"{at.tolerated_error:.0%} errors): {at.coverage:.1%} answered, "
        f"{at.risk:.2%} of them wrong"
        for at in found.thresholds or ()
    ]
    return "\n".join(lines)


def confusion(result: Scores) -> str:
    """Show the confusion matrix: a row for each true class, a column for each answer."""
    names = [score.name for score in result.classes]
    if len(names) > MOST_COLUMNS:
        return f"the confusion matrix of {len(names)} classes is on the page, and in --json"
    heading = ["true class \\ answer", *(name[:7] for name in names)]
    rows = [[name, *map(str, row)] for name, row in zip(names, result.confusion, strict=True)]
    return table([heading, *rows])


def group_scores(results: Sequence[Scores], intervals: Mapping[str, Interval]) -> str:
    """Show mean ± standard deviation over several runs, and the mean's interval."""
    prefix = next(iter(intervals)).split("/")[0]
    rows = [["class", "precision", "recall", "F1", "95 % interval of F1"]]
    for index, score in enumerate(results[0].classes):
        of_class = [result.classes[index] for result in results]
        rows.append(
            [score.name]
            + [
                spread([getattr(one, key) for one in of_class])
                for key in ("precision", "recall", "f1")
            ]
            + [_bounds(intervals[f"{prefix}/f1/{score.name}"], 100, 2)]
        )
    accuracy = spread([result.accuracy for result in results])
    return (
        f"accuracy {accuracy}   mean ± standard deviation of {len(results)} runs; 95 % interval "
        f"of the mean {_bounds(intervals[f'{prefix}/accuracy'], 100, 2)}\n\n{table(rows)}"
    )


def views(
    name: str, plain: Sequence[Scores], averaged: Sequence[Scores], costs: Sequence[dict[str, Any]]
) -> str:
    """Say what averaging over views brings, beside the plain figure, and what it costs."""
    gain = statistics.fmean(
        after.accuracy - before.accuracy for before, after in zip(plain, averaged, strict=True)
    )
    times = statistics.fmean(cost["times_plain"] for cost in costs)
    return (
        f"averaged over views ({name}): accuracy {spread([one.accuracy for one in averaged])}, "
        f"plain {spread([one.accuracy for one in plain])}: {100 * gain:+.2f} points, for "
        f"{costs[0]['passes']} passes in place of 1, {times:.1f} times the seconds"
    )
