"""Everything about how far a network's probabilities can be trusted, in plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fashioncnn.evaluation.calibration import calibration, fit_temperature
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.selective import answering, risk_coverage, threshold

# What share of the answers may be wrong, where a threshold on confidence is chosen.
TOLERATED_ERRORS = (0.01, 0.02, 0.05)


def confidence(test: Predictions, validation: Predictions | None) -> dict[str, Any]:
    """How true the probabilities are; what is fitted or chosen, is on validation."""
    found: dict[str, Any] = {
        "as_trained": calibration(test).to_json(),
        "with_temperature": None,
        "risk_coverage_area": risk_coverage(test).area,
        "thresholds": None,
    }
    if validation is None:
        return found
    temperature = fit_temperature(validation)
    chosen = {error: threshold(validation, error) for error in TOLERATED_ERRORS}
    return found | {
        "with_temperature": calibration(test, temperature).to_json(),
        "thresholds": [
            {"tolerated_error": error, **asdict(answering(test, at.confidence))}
            for error, at in chosen.items()
            if at
        ],
    }
