"""Two runs, or two groups of runs, on the same pictures: is one better, and by how much?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fashioncnn.evaluation.intervals import (
    LEVEL,
    Between,
    Estimate,
    Interval,
    degrees_of_freedom,
    difference,
    picture_weights,
    student,
)
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import check_same_pictures

# The chance of telling a difference of this size, when planning how many runs it takes.
POWER = 0.8
SIGNIFICANCE = 0.05
MOST_RUNS = 10_000
# So many studies are imagined for it.
PLANNED = 4000


@dataclass(frozen=True)
class Comparison:
    """How a second group compares with a first in accuracy.

    `difference` is the second's mean less the first's, a share. Its interval is Bonett and Price's
    for two single runs, by the paired bootstrap for groups. `p_value` is McNemar's exact one for
    two single runs, and Student's for groups; `adjusted_p_value` takes into account how many
    comparisons were made (Holm). `gained` and `lost` count pictures that only the second, or only
    the first, has right, the mean over pairs of runs. `runs_needed`, in each group, would tell a
    difference of this size apart with 80 % power: None where no number of runs would, or where
    single runs do not say.
    """

    runs: tuple[int, int]
    accuracies: tuple[float, float]
    difference: Interval
    p_value: float
    adjusted_p_value: float
    gained: float
    lost: float
    runs_needed: int | None

    @property
    def distinguishable(self) -> bool:
        """Whether chance is an unlikely explanation, at 5 %."""
        return self.adjusted_p_value < SIGNIFICANCE


def compare(
    first: Sequence[Predictions], others: Sequence[Sequence[Predictions]]
) -> list[Comparison]:
    """Compare each of `others` with `first`. RunError when the pictures are not the same."""
    check_same_pictures([run for group in (first, *others) for run in group])
    right = [_right(group) for group in (first, *others)]
    single = [right[0].shape[1] == other.shape[1] == 1 for other in right[1:]]
    estimates = [] if all(single) else accuracy_differences(right)
    found = [
        _of_two_runs(right[0], other) if alone else _of_groups(estimates[at])
        for at, (other, alone) in enumerate(zip(right[1:], single, strict=True))
    ]
    adjusted = holm([one.p_value for one in found])
    return [
        _comparison(right[0], other, one, p_value)
        for other, one, p_value in zip(right[1:], found, adjusted, strict=True)
    ]


@dataclass(frozen=True)
class _Told:
    """What was found about one difference."""

    gap: Interval
    p_value: float
    runs_needed: int | None


def _of_two_runs(first: NDArray[np.float32], other: NDArray[np.float32]) -> _Told:
    gained, lost = int((other > first).sum()), int((first > other).sum())
    return _Told(paired_shares(gained, lost, len(first)), mcnemar(gained, lost), None)


def _of_groups(estimate: Estimate) -> _Told:
    return _Told(estimate.interval, estimate.p_value, runs_needed(estimate))


def accuracy_differences(right: Sequence[NDArray[np.float32]], seed: int = 0) -> list[Estimate]:
    """Return each later group's accuracy less the first's, from who was right (n, runs)."""
    runs = np.cumsum([0, *(group.shape[1] for group in right)])
    together = np.hstack(right)
    draws = np.concatenate(
        [weights @ together for weights in picture_weights(len(together), seed=seed)]
    ).astype(np.float64) / len(together)
    values = together.mean(0, dtype=np.float64)
    own = [slice(start, end) for start, end in pairwise(runs)]
    return [
        difference(values[group], draws[:, group], values[own[0]], draws[:, own[0]])
        for group in own[1:]
    ]


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value (McNemar, Psychometrika 12, 1947; binomial form).

    So many pictures are right in the second, or in the first, of two runs alone.
    """
    return min(1.0, 2 * float(special.bdtr(min(lost, gained), lost + gained, 0.5)))


def paired_shares(gained: int, lost: int, n: int) -> Interval:
    """Return by how much one share of `n` pictures exceeds another, of the same pictures.

    `gained` and `lost` are right in one of both alone; one more is added to each (Bonett and Price,
    J. Educ. Behav. Stat. 37, 2012), so that few pictures have an interval that covers. It holds 0
    where McNemar's exact test, which asks for a little more, finds no difference.
    """
    more, less = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    value, middle = (gained - lost) / n, more - less
    variance = (more + less - middle**2) / (n + 2)
    half = float(special.ndtri((1 + LEVEL) / 2)) * math.sqrt(variance)
    told = [middle - half, middle + half, value]
    if mcnemar(gained, lost) >= 1 - LEVEL:
        told.append(0.0)
    return Interval(value, min(told), max(told))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm, Scand. J. Statist. 6, 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted


def runs_needed(estimate: Estimate) -> int | None:
    """Return how many runs in each group would tell a difference of this size apart, or None.

    With that many, Student's test finds it in 80 % of studies, if the spreads are as estimated.
    """
    if not all(estimate.run_variances) or power(estimate, MOST_RUNS) < POWER:
        return None
    low, high = 1, MOST_RUNS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(estimate, middle) >= POWER else (middle, high)
    return high


def power(estimate: Estimate, runs: int) -> float:
    """Return the chance that `runs` in each group tell a difference of this size apart.

    It is the mean over what the variances of so few runs may come out as, as the test will use
    those and not the true ones.
    """
    random = np.random.default_rng(0)
    drawn = random.chisquare(runs - 1, (len(estimate.run_variances), PLANNED)) / (runs - 1)
    between = [
        Between(runs, variance * one, 0.0)
        for variance, one in zip(estimate.run_variances, drawn, strict=True)
    ]
    pictures, gap = estimate.picture_variance, abs(estimate.interval.value)
    seen = pictures + sum(one.variance / runs for one in between)
    limit = student(degrees_of_freedom(pictures, between)) * np.sqrt(seen)
    error = math.sqrt(pictures + sum(estimate.run_variances) / runs)
    told = special.ndtr((gap - limit) / error) + special.ndtr((-gap - limit) / error)
    return float(told.mean())


def _right(group: Sequence[Predictions]) -> NDArray[np.float32]:
    return np.stack([run.predicted == run.labels for run in group], axis=1).astype(np.float32)


def _comparison(
    first: NDArray[np.float32], second: NDArray[np.float32], told: _Told, adjusted: float
) -> Comparison:
    before, after = first.mean(1, dtype=np.float64), second.mean(1, dtype=np.float64)
    return Comparison(
        runs=(first.shape[1], second.shape[1]),
        accuracies=(float(before.mean()), float(after.mean())),
        difference=possible(told.gap),
        p_value=told.p_value,
        adjusted_p_value=adjusted,
        gained=float((after * (1 - before)).sum()),
        lost=float((before * (1 - after)).sum()),
        runs_needed=told.runs_needed,
    )


def apart(first: Interval, other: Interval) -> tuple[Interval, float]:
    """Return how much more `other` is, from two figures' own intervals, and its p-value.

    They are taken as independent, which makes it wide for figures of the same pictures (Zou and
    Donner's MOVER, Statistics in Medicine 27, 2008).
    """
    value = other.value - first.value
    below = math.hypot(other.value - other.low, first.high - first.value)
    above = math.hypot(other.high - other.value, first.value - first.low)
    half = below if value > 0 else above
    z = float(special.ndtri((1 + LEVEL) / 2))
    p_value = 2 * float(special.ndtr(-abs(value) / half * z)) if half else float(value == 0)
    return Interval(value, value - below, value + above), p_value


def possible(gap: Interval) -> Interval:
    """Few runs that differ much stretch an interval beyond what two shares can differ by."""
    return Interval(gap.value, max(-1.0, gap.low), min(1.0, gap.high))
