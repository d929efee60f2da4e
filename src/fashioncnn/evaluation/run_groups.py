"""Every figure of a group of runs, with its interval over pictures and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import RunError
from fashioncnn.evaluation.intervals import (
    Estimate,
    Interval,
    difference,
    mean_over_runs,
    picture_weights,
    share,
    weighted_mean,
    wider,
    wilson,
)
from fashioncnn.evaluation.predictions import Predictions

KINDS = ("precision", "recall", "f1")


def intervals(runs: Sequence[Predictions], split: str = "test") -> dict[str, Interval]:
    """Return accuracy, and precision, recall and F1 by class and as means, by metric name.

    They are named as in `Scores.metrics`. What is a share of pictures (accuracy, precision, recall)
    has Wilson's interval for one run, over pictures alone, and that of `intervals.share` for
    several. So has a class's F1, for any number of runs: it is no share, but twice the right ones
    among those of the class and those taken for it. Means over classes have the bootstrap's, and
    are at least as uncertain as the classes: of few pictures, resamples may all have the same.
    Raises RunError when the runs are not of the same pictures.
    """
    check_same_pictures(runs)
    values, draws = _resampled(runs)
    estimates = {
        name: mean_over_runs(values[:, index], draws[:, :, index])
        for index, name in enumerate(_figure_names(runs[0].class_names))
    }
    named = {f"{split}/{name}": _within_bounds(one.interval) for name, one in estimates.items()}
    for name, n in _picture_counts(runs).items():
        value = estimates[name].interval.value
        named[f"{split}/{name}"] = (
            wilson(round(value * n), round(n))
            if len(runs) == 1 and not name.startswith("f1/")
            else share(value, n, estimates[name])
        )
    for kind in KINDS:
        parts = [named[f"{split}/{kind}/{name}"] for name in runs[0].class_names]
        for mean, weights in _class_weights(runs[0]).items():
            name = f"{split}/{kind}_{mean}"
            named[name] = _within_bounds(wider(named[name], weighted_mean(parts, weights)))
    return named


def differences(
    first: Sequence[Predictions], second: Sequence[Predictions], split: str = "test"
) -> dict[str, Estimate]:
    """Return the second group's figures less the first's, by metric name, over paired resamples.

    Raises RunError when the runs are not of the same pictures.
    """
    check_same_pictures([*first, *second])
    (values, draws), (other_values, other_draws) = _resampled(first), _resampled(second)
    return {
        f"{split}/{name}": difference(
            other_values[:, index], other_draws[:, :, index], values[:, index], draws[:, :, index]
        )
        for index, name in enumerate(_figure_names(first[0].class_names))
    }


def check_same_pictures(runs: Sequence[Predictions]) -> None:
    """Raise RunError unless all runs predicted the same pictures of the same classes."""
    first = runs[0]
    for other in runs[1:]:
        if first.class_names != other.class_names or not (
            np.array_equal(first.labels, other.labels)
            and np.array_equal(first.indices, other.indices)
        ):
            raise RunError("these runs were not scored on the same pictures")


def _class_weights(run: Predictions) -> dict[str, list[float]]:
    """Return how much each class weighs in each mean over classes."""
    of_class = np.bincount(run.labels, minlength=len(run.class_names))
    counts = {"macro": of_class > 0, "weighted": of_class}
    return {name: (count / count.sum()).tolist() for name, count in counts.items()}


def _within_bounds(interval: Interval) -> Interval:
    return Interval(interval.value, max(0.0, interval.low), min(1.0, interval.high))


def _resampled(
    runs: Sequence[Predictions],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return every figure of every run (runs, figures), and on resamples (draws, runs, figures)."""
    classes = len(runs[0].class_names)
    one_hot = [_one_hot(run) for run in runs]
    values = [_figures(columns.sum(0)[None], classes)[0] for columns in one_hot]
    draws = [
        np.stack([_figures(weights_BN @ columns, classes) for columns in one_hot], axis=1)
        for weights_BN in picture_weights(len(runs[0].labels))
    ]
    return np.stack(values), np.concatenate(draws)


def _picture_counts(runs: Sequence[Predictions]) -> dict[str, float]:
    """Return of how many pictures each figure is a share, the mean over the runs, by its name."""
    names = runs[0].class_names
    of_class = np.bincount(runs[0].labels, minlength=len(names))
    taken_for = np.mean([np.bincount(run.predicted, minlength=len(names)) for run in runs], axis=0)
    counts = {"accuracy": float(len(runs[0].labels))}
    for index, name in enumerate(names):
        counts[f"recall/{name}"] = float(of_class[index])
        counts[f"precision/{name}"] = float(taken_for[index])
        counts[f"f1/{name}"] = float(of_class[index] + taken_for[index]) / 2
    return counts


def _one_hot(run: Predictions) -> NDArray[np.float32]:
    """Return (n, 3 · classes): right as, predicted as, and truly of each class."""
    classes = np.arange(len(run.class_names))
    true = run.labels[:, None] == classes
    predicted = run.predicted[:, None] == classes
    return np.hstack([true & predicted, predicted, true]).astype(np.float32)


def _figures(counts: NDArray[np.float32], classes: int) -> NDArray[np.float64]:
    """Return (resamples, figures) in the order of `_figure_names`."""
    right, predicted, true = np.split(counts.astype(np.float64), 3, axis=1)
    assert right.shape[1] == classes
    precision, recall, f1 = (
        np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
        for part, whole in ((right, predicted), (right, true), (2 * right, predicted + true))
    )
    weights = true / true.sum(1, keepdims=True)
    # A class without a picture in any resample weighs nothing.
    there = (true.max(0) > 0).astype(np.float64)
    means = [figure @ there / there.sum() for figure in (precision, recall, f1)]
    weighted = [(figure * weights).sum(1) for figure in (precision, recall, f1)]
    accuracy = right.sum(1) / true.sum(1)
    return np.column_stack([accuracy, *means, *weighted, precision, recall, f1])


def _figure_names(class_names: Sequence[str]) -> list[str]:
    return [
        "accuracy",
        *(f"{kind}_macro" for kind in KINDS),
        *(f"{kind}_weighted" for kind in KINDS),
        *(f"{kind}/{name}" for kind in KINDS for name in class_names),
    ]
