"""Intervals: how far a figure would move with other pictures, and with other seeds.

Two things vary. Pictures: a split is a sample of all pictures there could be; every resample of it
is drawn once and shared by all runs. Seeds: each run is one draw of what training may give. The
variance of a mean over runs is that over pictures plus that over seeds, and what is noise of
single pictures in single runs is seen by both and counted once (the two-way random-effects model:
Searle, Casella, McCulloch, Variance Components, sec. 4.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

LEVEL = 0.95
DRAWS = 1000
DRAWS_AT_ONCE = 250


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
    `run_variances` is what one run adds to it: one entry a group of runs.
    """

    interval: Interval
    error: float
    freedom: float
    picture_variance: float
    run_variances: tuple[float, ...]

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
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


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
    between = [_between(values, draws) for values, draws in groups]
    single = sum(one.single / one.runs for one in between)
    seeds = max(0.0, sum((one.variance - one.single) / one.runs for one in between))
    variance = both + seeds
    # Welch and Satterthwaite: only what is estimated from few runs limits the freedom.
    few = sum((one.variance / one.runs) ** 2 / (one.runs - 1) for one in between if one.runs > 1)
    freedom = max(1.0, variance**2 / few) if few else math.inf
    spread = float(draws_B.std(ddof=1))
    stretch = 1.0
    if spread:
        student = _student(freedom) / float(special.ndtri((1 + LEVEL) / 2))
        stretch = student * math.sqrt(variance) / spread
    low, high = np.quantile(draws_B - value, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) * stretch
    half = 0.0
    if not spread and variance:
        half = _student(freedom) * math.sqrt(variance)
    return Estimate(
        Interval(value, value + float(low) - half, value + float(high) + half),
        math.sqrt(variance),
        freedom,
        max(0.0, both - single),
        tuple(max(one.variance, one.single) for one in between),
    )


def _student(freedom: float) -> float:
    """Return the factor on a standard error that half an interval of level 95 % is."""
    # scipy.special, as scipy.stats takes half a second to import; it knows no infinite freedom.
    upper = (1 + LEVEL) / 2
    return float(special.ndtri(upper) if math.isinf(freedom) else special.stdtrit(freedom, upper))


@dataclass(frozen=True)
class _Between:
    """Of one group: runs, their variance, and the part of it that is noise of single pictures."""

    runs: int
    variance: float
    single: float


def _between(values_R: NDArray[np.float64], draws_BR: NDArray[np.float64]) -> _Between:
    runs = len(values_R)
    if runs == 1:
        return _Between(1, 0.0, 0.0)
    alone = float(draws_BR.var(axis=0, ddof=1).mean())
    together = float(draws_BR.mean(1).var(ddof=1))
    single = max(0.0, (alone - together) * runs / (runs - 1))
    return _Between(runs, float(values_R.var(ddof=1)), single)
