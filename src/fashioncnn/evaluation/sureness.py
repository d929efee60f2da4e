"""When an answer is sure; and what several pictures of a thing say of it together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashioncnn.evaluation.out_of_distribution import signs
from fashioncnn.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Sureness:
    """An answer is given from this probability and this energy on; see `joint`."""

    probability: float
    energy: float = -math.inf


ALWAYS = Sureness(0.0)
# Of validation pictures as if photographed, so many stay below a limit. Of the garments on real
# photographs, whose poses are stranger, about nine of ten are answered then
# (docs/how-to/photographs.md).
BELOW_PERCENT = 2.0
# For photographs, where a network was not asked about validation pictures.
UNFITTED = Sureness(0.36)


def joint(
    predictions: Predictions, counts_N: NDArray[np.int64], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what several pictures of a thing say of it together, for n things.

    `predictions` are of all pictures in turn, `counts_N` of each thing. Probabilities
    (n, classes), by the mean of the log-probabilities, and the mean energies (n,).
    """
    starts = np.cumsum(counts_N) - counts_N
    logs = predictions.at_temperature(temperature).log_probabilities
    means = np.add.reduceat(logs, starts, axis=0) / counts_N[:, None]
    shares = np.exp(means - means.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares, np.add.reduceat(signs(predictions)["energy"], starts) / counts_N


def fit_sureness(of_photographed: Predictions, temperature: float) -> Sureness:
    """Return the limits that all but BELOW_PERCENT of pictures reach; see `as_photographed`."""
    counts_N = np.full(len(of_photographed.labels) // 2, 2)
    shares, energies = joint(of_photographed, counts_N, temperature)
    return Sureness(
        float(np.percentile(shares.max(axis=1), BELOW_PERCENT)),
        float(np.percentile(energies, BELOW_PERCENT)),
    )
