"""Intervals: how far a figure would move with other pictures, and with other seeds.

Two things vary. Pictures: a split is a sample of all pictures there could be; every resample of it
is drawn once and shared by all runs. Seeds: each run is one draw of what training may give. The
variance of a mean over runs is that over pictures plus that over seeds, and what is noise of
single pictures in single runs is seen by both and counted once (the two-way random-effects model:
Searle, Casella, McCulloch, Variance Components, sec. 4.4). A single run shows nothing of seeds:
beside a group of several, it is taken to vary as they do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

LEVEL = 0.95
DRAWS = 1000
DRAWS_AT_ONCE = 250
# How often few runs may lie closer together than is allowed for; see `degrees_of_freedom`.
CAUTION = 0.7
# With more degrees of freedom, Student's t is the normal distribution.
MOST_FREEDOM = 1e6


@dataclass(frozen=True)
class Interval:
    """`value`, and the interval from `low` to `high` around it, of level 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, or a difference of two; `error` its standard error with `freedom`.

    `picture_variance` is what the pictures alone would leave with ever more runs, and
    `run_variances` is what one run adds to it: one entry a group of runs. `single_variance` is what
    is noise of single pictures in these runs.
    """

    interval: Interval
    error: float
    freedom: float
    picture_variance: float
    run_variances: tuple[float, ...]
    single_variance: float = 0.0

    @property
    def p_value(self) -> float:
        """Two-sided, for the value being 0 (Student's t)."""
        if self.error == 0:
            return 1.0 if self.interval.value == 0 else 0.0
        if math.isinf(self.freedom):
            return float(2 * special.ndtr(-abs(self.interval.value) / self.error))
        return float(2 * special.stdtr(self.freedom, -abs(self.interval.value) / self.error))


def wilson(right: int, n: int) -> Interval:
    """Return the score interval of a share (Wilson, JASA 22, 1927); the whole of 0..1 for n 0."""
    if n == 0:
        return Interval(0.0, 0.0, 1.0)
    z = float(special.ndtri((1 + LEVEL) / 2))
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # Rounding must not leave the share itself outside.
    return Interval(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def share(value: float, n: float, estimate: Estimate) -> Interval:
    """Return the interval of a share of about `n` pictures, the mean over runs, from its estimate.

    Two pictures that are right and two that are wrong are added, as Agresti and Coull do (The
    American Statistician 52, 1998), so that a share of exactly 0 or 1, or of few pictures, has an
    interval that covers; of thousands, the four change nothing.
    """
    if n < 1:
        return Interval(value, 0.0, 1.0)
    both = estimate.picture_variance + estimate.single_variance
    seeds = max(0.0, estimate.error**2 - both)
    middle = (n * value + 2) / (n + 4)
    squares = n * (n * both + (value - middle) ** 2) + 2 * (1 - middle) ** 2 + 2 * middle**2
    half = float(student(estimate.freedom)) * math.sqrt(squares / (n + 4) ** 2 + seeds)
    return Interval(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


def weighted_mean(parts: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """Return the interval of a mean of figures, from their own, as if they were independent.

    Zou and Donner's MOVER (Statistics in Medicine 27, 2008).
    """
    pairs = list(zip(weights, parts, strict=True))
    value = sum(weight * one.value for weight, one in pairs)
    below = math.hypot(*(weight * (one.value - one.low) for weight, one in pairs))
    above = math.hypot(*(weight * (one.high - one.value) for weight, one in pairs))
    return Interval(value, value - below, value + above)


def wider(interval: Interval, other: Interval) -> Interval:
    """Return `interval`, made to hold `other`, too."""
    return Interval(interval.value, min(interval.low, other.low), max(interval.high, other.high))


def picture_weights(n: int, draws: int = DRAWS, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of `n` pictures is in each resample, (up to 250, n) at a time."""
    random = np.random.default_rng(seed)
    for start in range(0, draws, DRAWS_AT_ONCE):
        rows = min(DRAWS_AT_ONCE, draws - start)
        chosen = random.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=rows * n)
        yield counts.reshape(rows, n).astype(np.float32)


def mean_over_runs(values_R: NDArray[np.float64], draws_BR: NDArray[np.float64]) -> Estimate:
    """Return the mean of a figure over runs, from its values and its values on each resample."""
    return _estimate(float(values_R.mean()), draws_BR.mean(1), [(values_R, draws_BR)])


def difference(
    values_R: NDArray[np.float64],
    draws_BR: NDArray[np.float64],
    other_values_S: NDArray[np.float64],
    other_draws_BS: NDArray[np.float64],
) -> Estimate:
    """Return by how much one group's mean exceeds another's, over the same resamples."""
    return _estimate(
        float(values_R.mean() - other_values_S.mean()),
        draws_BR.mean(1) - other_draws_BS.mean(1),
        [(values_R, draws_BR), (other_values_S, other_draws_BS)],
    )


def _estimate(
    value: float,
    draws_B: NDArray[np.float64],
    groups: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> Estimate:
    both = float(draws_B.var(ddof=1))  # pictures, and single pictures in single runs
    between = _lend([_between(values, draws) for values, draws in groups])
    single = sum(one.single / one.runs for one in between)
    seeds = max(0.0, sum((one.variance - one.single) / one.runs for one in between))
    variance = both + seeds
    freedom = float(degrees_of_freedom(both, between))
    spread = float(draws_B.std(ddof=1))
    stretch = 1.0
    if spread:
        wider = float(student(freedom)) / float(special.ndtri((1 + LEVEL) / 2))
        stretch = wider * math.sqrt(variance) / spread
    low, high = np.quantile(draws_B - value, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) * stretch
    half = 0.0
    if not spread and variance:
        half = float(student(freedom)) * math.sqrt(variance)
    return Estimate(
        Interval(value, value + float(low) - half, value + float(high) + half),
        math.sqrt(variance),
        freedom,
        max(0.0, both - single),
        tuple(max(one.variance, one.single) for one in between),
        min(both, single),
    )


def student(freedom: Any) -> Any:
    """Return the factor on a standard error that half an interval of level 95 % is."""
    # scipy.special, as scipy.stats takes half a second to import; it knows no infinite freedom.
    upper = (1 + LEVEL) / 2
    finite = special.stdtrit(np.minimum(freedom, MOST_FREEDOM), upper)
    return np.where(np.asarray(freedom) < MOST_FREEDOM, finite, special.ndtri(upper))


def further_run(std: float, runs: int) -> float:
    """Return how far from the mean of `runs` one further run lies at most, 95 times in 100."""
    return float(student(runs - 1)) * std * math.sqrt(1 + 1 / runs)


@dataclass(frozen=True)
class Between:
    """Of one group: runs, their variance, and the part of it that is noise of single pictures.

    `lender` is how many runs the group has that the variance was borrowed from, if it was. The
    variance may be an array, of what it might have come out as.
    """

    runs: int
    variance: Any
    single: float
    lender: int | None = None

    @property
    def freedom(self) -> int:
        """The degrees of freedom of the variance: one less than the runs that it is from."""
        return (self.lender or self.runs) - 1


def degrees_of_freedom(both: float, between: Sequence[Between]) -> Any:
    """Return those of the variance of a mean, or a difference, of which `both` is well known.

    Welch and Satterthwaite's (Biometrics Bulletin 2, 1946): what is estimated from few runs limits
    them. Where few runs lie close together by chance, the formula would trust them: it is given
    the variance that they would have if they lay closer together than they do once in three times.
    What one group has borrowed from another is the same estimate, so that both parts are added
    before they are squared.
    """
    variance: Any = both
    parts: dict[int, Any] = {}
    for at, one in enumerate(between):
        if one.freedom:
            likely = one.variance * one.freedom / float(special.chdtri(one.freedom, CAUTION))
            variance = variance + np.maximum(0.0, likely - one.single) / one.runs
            source = at if one.lender is None else len(between) - 1 - at
            parts[source] = parts.get(source, 0.0) + likely / one.runs
    few = np.asarray(sum(part**2 / between[at].freedom for at, part in parts.items()), float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(few > 0, np.maximum(1.0, variance**2 / few), math.inf)


def _between(values_R: NDArray[np.float64], draws_BR: NDArray[np.float64]) -> Between:
    runs = len(values_R)
    if runs == 1:
        return Between(1, 0.0, 0.0)
    alone = float(draws_BR.var(axis=0, ddof=1).mean())
    together = float(draws_BR.mean(1).var(ddof=1))
    single = max(0.0, (alone - together) * runs / (runs - 1))
    return Between(runs, float(values_R.var(ddof=1)), single)


def _lend(groups: Sequence[Between]) -> list[Between]:
    """Give single runs the variance of the largest group, if any has several runs."""
    largest = max(groups, key=lambda one: one.runs)
    if largest.runs == 1:
        return list(groups)
    return [
        Between(1, largest.variance, largest.single, largest.runs) if one.runs == 1 else one
        for one in groups
    ]
