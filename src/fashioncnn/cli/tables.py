"""Plain-text tables for the terminal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from fashioncnn.benchmarking.machine import Machine
    from fashioncnn.evaluation.intervals import Interval
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


def cost(found: Mapping[str, Any]) -> str:
    """Say in a line what a network costs to keep and to ask."""
    latency = f"{found['p50_milliseconds']:.2f} ms (p99 {found['p99_milliseconds']:.2f})"
    return (
        f"{found['parameters']:,} parameters, {found['weight_bytes'] / 1e6:.2f} MB; a picture "
        f"takes {found['macs'] / 1e6:.2f} million multiplications, {latency} on "
        f"{found['hardware']}, {found['threads']} threads"
    )


def unknown(found: Mapping[str, Any]) -> str:
    """Say how well a network notices pictures that are nothing it knows."""
    signs = [
        f"by {sign} AUROC {found[sign]['auroc']:.3f}, "
        f"{found[sign]['false_positive_rate']:.1%} pass for known"
        for sign in ("probability", "energy")
    ]
    return f"{found['path']}: {found['n']:,} unknown pictures, {'; '.join(signs)}"


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
    return f"{wrong.sum():.0f} mistakes: {', '.join([*within, f'{across:.0f} across'])}"


def confidence(found: Mapping[str, Any]) -> str:
    """Show how true the probabilities are, and what answering only when sure would give."""
    raw, mended = found["as_trained"], found["with_temperature"]
    rows = [["probabilities", "ECE", "ECE, equal mass", "NLL", "Brier"]]
    for words, one in (("as trained", raw), ("with temperature", mended)):
        if one:
            if words != "as trained":
                words += f" {one['temperature']:.2f}"
            keys = ("ece", "ece_equal_mass", "nll", "brier")
            rows.append([words, *(f"{one[key]:.4f}" for key in keys)])
    lines = [table(rows), ""]
    if mended is None:
        lines.append("no validation pictures: no temperature fitted, no threshold chosen")
    lines += [
        f"answering when at least {at['confidence']:.1%} sure (chosen on validation for "
        f"{at['tolerated_error']:.0%} errors): {at['coverage']:.1%} answered, "
        f"{at['risk']:.2%} of them wrong"
        for at in found["thresholds"] or ()
    ]
    return "\n".join(lines)


def confusion(result: Scores) -> str:
    """Show the confusion matrix: a row for each true class, a column for each answer."""
    names = [score.name for score in result.classes]
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


def machine(measured: Machine) -> str:
    """Show a machine's facts and peaks."""
    bf16 = "no instructions for it"
    if measured.bf16_gflops is not None:
        bf16 = f"{measured.bf16_gflops:,.0f} GFLOP/s"
    return "\n".join(
        [
            f"hardware         {measured.hardware}, {measured.memory_gib:g} GiB",
            f"matrices, fp32   {measured.fp32_gflops:,.0f} GFLOP/s",
            f"matrices, bf16   {bf16}",
            f"memory copies    {measured.memory_gb_per_second:.1f} GB/s read and written",
        ]
    )


def speed(results: Sequence[dict[str, Any]]) -> str:
    """Show what was measured of each way to train."""
    heading = ["", "accuracy, %", "training, s", "whole run, s", "n", "images/s", "of peak", "MiB"]
    rows = [heading]
    for result in results:
        metrics = result["metrics"]
        rows.append(
            [
                result["name"],
                spread(metrics["test/accuracy"]["values"]).removesuffix(" %"),
                _seconds(metrics["train/seconds"]),
                _seconds(metrics["run/seconds"]),
                str(result["n"]),
                _figure(metrics, "train/images_per_second", ",.0f"),
                _figure(metrics, "train/peak_share", ".0%"),
                _figure(metrics, "train/peak_memory_mib", ",.0f"),
            ]
        )
    lines = [
        f"{result['name']} trains {ratio['median']:.2f} times as fast as {peer} "
        f"(pairs: {', '.join(f'{value:.2f}' for value in ratio['values'])})"
        for result in results
        for peer, ratio in result["ratios"].items()
    ]
    return "\n".join([table(rows), *([""] if lines else []), *lines])


def prediction_speed(measured: dict[str, Any]) -> str:
    """Show throughput and latency by batch size."""
    rows = [["batch", "images/s", "p50, ms", "p99, ms", "calls"]]
    rows += [
        [
            f"{batch['batch_size']:,}",
            f"{batch['images_per_second']:,.0f}",
            f"{batch['p50_milliseconds']:.2f}",
            f"{batch['p99_milliseconds']:.2f}",
            f"{batch['calls']:,}",
        ]
        for batch in measured["batches"]
    ]
    heading = f"{measured['recipe']}, {measured['precision']} on {measured['hardware']}"
    return f"{heading}\n\n{table(rows)}"


def _seconds(metric: dict[str, Any]) -> str:
    spread = "" if metric["std"] is None else f" ± {metric['std']:.1f}"
    return f"{metric['mean']:.1f}{spread}"


def _figure(metrics: dict[str, Any], name: str, form: str) -> str:
    return format(metrics[name]["mean"], form) if name in metrics else "–"
