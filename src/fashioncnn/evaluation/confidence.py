"""Everything about how far a network's probabilities can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from fashioncnn.evaluation.calibration import Calibration, calibration, fit_temperature
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.selective import answering, risk_coverage, threshold
from fashioncnn.evaluation.sureness import Sureness, fit_sureness

# What share of the answers may be wrong, where a threshold on confidence is chosen.
TOLERATED_ERRORS = (0.01, 0.02, 0.05)
# Fewer validation pictures say too little of a temperature, and of errors of 1 %.
FEWEST = 100


@dataclass(frozen=True)
class ChosenThreshold:
    """What answering when at least `confidence` sure gives on test; chosen on validation.

    Confidence is that of the probabilities with temperature, which predictions come with.
    `coverage` is the share of the pictures that are answered, `risk` that of wrong answers.
    """

    tolerated_error: float
    confidence: float
    coverage: float
    risk: float


@dataclass(frozen=True)
class Confidence:
    """Figures on test. With fewer than 100 validation pictures, nothing is fitted or chosen.

    `risk_coverage_area` is that of the probabilities with temperature, where one is fitted.
    `of_photographs` is what an answer to a photograph needs, None for networks of other pictures.
    """

    as_trained: Calibration
    with_temperature: Calibration | None
    risk_coverage_area: float
    thresholds: tuple[ChosenThreshold, ...] | None
    of_photographs: Sureness | None = None


def confidence(
    test: Predictions,
    validation: Predictions | None,
    photographed: Predictions | None = None,
) -> Confidence:
    """Say how true the probabilities are; what is fitted or chosen, is on validation.

    `photographed` are of validation pictures, too; see `as_photographed`.
    """
    as_trained = calibration(test)
    if validation is None or len(validation.labels) < FEWEST:
        return Confidence(as_trained, None, risk_coverage(test).area, None)
    temperature = fit_temperature(validation)
    told, known = test.at_temperature(temperature), validation.at_temperature(temperature)
    thresholds = []
    for error in TOLERATED_ERRORS:
        if at := threshold(known, error):
            found = answering(told, at.confidence)
            thresholds.append(ChosenThreshold(error, found.confidence, found.coverage, found.risk))
    sureness = fit_sureness(photographed, temperature) if photographed else None
    return Confidence(
        as_trained,
        calibration(test, temperature),
        risk_coverage(told).area,
        tuple(thresholds),
        sureness,
    )
