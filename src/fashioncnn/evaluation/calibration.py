"""Are the probabilities true? Reliability, calibration errors, and a temperature to mend them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.evaluation.predictions import Predictions

BINS = 15
# Far beyond what a network that was trained at all needs.
COLDEST, HOTTEST = 0.02, 50.0


@dataclass(frozen=True)
class Bin:
    """Pictures of similar confidence: how many, their mean confidence, their accuracy."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """Figures of one set of probabilities, those of the answers given unless said otherwise.

    `ece` is the expected calibration error over 15 bins of equal width (Guo et al., arXiv
    1706.04599, eq. 3) and `ece_equal_mass` over 15 bins of equally many pictures; `nll` is the
    mean negative log-likelihood; `brier` the mean over pictures of the squared differences
    summed over all classes (Brier, 1950). `bins` are those of equal width that hold pictures.
    `ece_by_chance` is the mean ECE of true probabilities on as many pictures: of few it is not 0.
    """

    temperature: float
    ece: float
    ece_equal_mass: float
    nll: float
    brier: float
    bins: tuple[Bin, ...]
    ece_by_chance: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """Inverse of `to_json`; TypeError or KeyError when it is something else."""
        return cls(**{**values, "bins": tuple(Bin(**one) for one in values["bins"])})


def calibration(predictions: Predictions, temperature: float = 1.0) -> Calibration:
    """Compute every figure with the logits divided by `temperature`."""
    log_probabilities = predictions.at_temperature(temperature).log_probabilities
    probabilities = np.exp(log_probabilities)
    rows = np.arange(len(predictions.labels))
    truth = np.zeros_like(probabilities)
    truth[rows, predictions.labels] = 1
    confidence = probabilities.max(axis=1)
    right = (predictions.predicted == predictions.labels).astype(np.float64)
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    # The order of the confidences, cut into runs of equal length but for one picture. Where
    # confidences are equal any order is as good: each picture counts as the mean of its equals.
    rank = np.empty(len(rows), np.int64)
    rank[np.argsort(confidence, kind="stable")] = rows
    _, equals = np.unique(confidence, return_inverse=True)
    mean_right = (np.bincount(equals, right) / np.bincount(equals))[equals]
    bins = _bins(place, confidence, right)
    return Calibration(
        temperature=temperature,
        ece=_expected_error(bins),
        ece_equal_mass=_expected_error(_bins(rank * BINS // len(rows), confidence, mean_right)),
        nll=float(-log_probabilities[rows, predictions.labels].mean()),
        brier=float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        bins=bins,
        ece_by_chance=sum(one.n / len(rows) * _gap_by_chance(one) for one in bins),
    )


def fit_temperature(predictions: Predictions) -> float:
    """Return the temperature with the least NLL on these pictures (arXiv 1706.04599, sec. 4.2).

    It is 1 where all are right: they only say that it might be lower, not how low.
    """
    from scipy import optimize

    if (predictions.predicted == predictions.labels).all():
        return 1.0

    rows = np.arange(len(predictions.labels))

    def loss(log_temperature: float) -> float:
        scaled = predictions.at_temperature(float(np.exp(log_temperature)))
        return float(-scaled.log_probabilities[rows, predictions.labels].mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    return float(np.exp(optimize.minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _bins(
    place: NDArray[np.int64], confidence: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[Bin, ...]:
    n, sure, good = (
        np.bincount(place, weights=weights, minlength=BINS) for weights in (None, confidence, right)
    )
    return tuple(
        Bin(int(n[at]), float(sure[at] / n[at]), float(good[at] / n[at]))
        for at in np.flatnonzero(n)
    )


def _expected_error(bins: tuple[Bin, ...]) -> float:
    n = sum(one.n for one in bins)
    return sum(one.n / n * abs(one.confidence - one.accuracy) for one in bins)


def _gap_by_chance(one: Bin) -> float:
    """Return the mean distance of a bin's accuracy from its confidence where that is true.

    The mean deviation of the binomial distribution (De Moivre; Diaconis and Zabell, Statistical
    Science 6, 1991).
    """
    p, n = min(one.confidence, 1.0), one.n
    if p in (0.0, 1.0):
        return 0.0
    above = math.floor(n * p) + 1
    ways = math.lgamma(n + 1) - math.lgamma(above + 1) - math.lgamma(n - above + 1)
    log_chance = ways + above * math.log(p) + (n - above + 1) * math.log1p(-p)
    return 2 * above / n * math.exp(log_chance)
