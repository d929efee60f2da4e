"""When an answer is sure; and what several pictures of a thing say of it together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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
# Of validation pictures as if photographed, so many stay below a limit. Of garments on real
# photographs it is more: docs/how-to/photographs.md.
BELOW_PERCENT = 2.0
# For photographs, where a network was not asked about validation pictures.
UNFITTED = Sureness(0.36)


def joint(predictions: Predictions, counts_N: NDArray[np.int64]) -> Predictions:
    """Return what several pictures of a thing say of it together, for n things: mean logits.

    `predictions` are of all pictures in turn, `counts_N` of each thing. The probabilities are then
    by the mean of the log-probabilities.
    """
    starts = np.cumsum(counts_N) - counts_N
    means = np.add.reduceat(predictions.logits, starts, axis=0) / counts_N[:, None]
    return replace(
        predictions,
        logits=means.astype(np.float32),
        labels=predictions.labels[starts],
        indices=predictions.indices[starts],
    )


def fit_sureness(of_photographed: Predictions, temperature: float) -> Sureness:
    """Return the limits that all but BELOW_PERCENT of pictures reach; see `as_photographed`."""
    together = joint(of_photographed, np.full(len(of_photographed.labels) // 2, 2))
    probability = signs(together.at_temperature(temperature))["probability"]
    return Sureness(
        float(np.percentile(probability, BELOW_PERCENT)),
        float(np.percentile(signs(together)["energy"], BELOW_PERCENT)),
    )
