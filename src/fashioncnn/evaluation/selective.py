"""Answering only when sure: the error among the pictures answered, by the share of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashioncnn.evaluation.predictions import Predictions


@dataclass(frozen=True)
class RiskCoverage:
    """`risk[i]`: the error among the `coverage[i]` of the pictures that are surest, both shares.

    `confidence[i]` is that of the least sure of them; `area` the mean risk over all coverages
    (El-Yaniv and Wiener, JMLR 11, 2010; Geifman et al., arXiv 1805.08206, sec. 2).
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    confidence: NDArray[np.float64]
    area: float


@dataclass(frozen=True)
class Threshold:
    """Answer when at least `confidence` sure: the `coverage` of pictures, with `risk` of error."""

    confidence: float
    coverage: float
    risk: float


def risk_coverage(predictions: Predictions) -> RiskCoverage:
    """Return the curve; pictures of equal confidence are answered together."""
    confidence = np.exp(predictions.log_probabilities.max(axis=1))
    wrong = (predictions.predicted != predictions.labels).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    confidence, wrong = confidence[order], wrong[order]
    answered = np.arange(1, len(wrong) + 1)
    last_of_equals = np.append(confidence[1:] != confidence[:-1], True)
    # Among equals any order is as good: each counts as the mean of them.
    groups = np.cumsum(last_of_equals) - last_of_equals
    mean_wrong = np.bincount(groups, wrong) / np.bincount(groups)
    risk = mean_wrong[groups].cumsum() / answered
    return RiskCoverage(
        (answered / len(wrong))[last_of_equals],
        risk[last_of_equals],
        confidence[last_of_equals],
        float(risk.mean()),
    )


def threshold(predictions: Predictions, error: float) -> Threshold | None:
    """Return the lowest confidence from which on at most `error` of the answers are wrong.

    None when even the surest are wrong more often. Choose it on validation, then see with
    `answering` what it gives on test.
    """
    curve = risk_coverage(predictions)
    good = np.flatnonzero(curve.risk <= error)
    if not len(good):
        return None
    at = good[-1]
    return Threshold(float(curve.confidence[at]), float(curve.coverage[at]), float(curve.risk[at]))


def answering(predictions: Predictions, confidence: float) -> Threshold:
    """Return what a threshold gives on these pictures; risk 0 where it leaves none."""
    sure = np.exp(predictions.log_probabilities.max(axis=1)) >= confidence
    wrong = predictions.predicted[sure] != predictions.labels[sure]
    return Threshold(confidence, float(sure.mean()), float(wrong.mean()) if len(wrong) else 0.0)
