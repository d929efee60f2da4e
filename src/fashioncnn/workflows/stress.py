"""stress: from a run to how it answers worse pictures, and pictures of nothing it knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fashioncnn.console.say import with_progress
from fashioncnn.evaluation.corruptions import CORRUPTIONS, strengths_of
from fashioncnn.evaluation.out_of_distribution import UNKNOWN, Detection, detection, signs
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.contents import Corrupted, Stress
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

SEED = 20170825


@user_code()
def stress(run: AnyRun | Trained, *, data: Data = None, device: DeviceName = "auto") -> Stress:
    """Score the run's network on worse test pictures and see whether it notices unknown ones.

    The weights are those of the run's test scores, made first where there are none. Leaves
    evaluation/stress.json in the run; weights that were stressed already are not again. Raises
    RunError when the run cannot be used, DataError without data.
    """
    return stress_trained(open_evaluated(run, data, device))


def stress_trained(trained: Trained) -> Stress:
    """Stress an opened, evaluated network; see `stress`."""
    if (found := trained.kept.get(artifacts.STRESS)) is not None:
        return found
    plain = predictions_of(trained)
    pictures = trained.pictures("test", "stress")

    def answers(images_NHWC: NDArray[np.uint8]) -> Predictions:
        seen = replace(pictures, images_NHWC=np.ascontiguousarray(images_NHWC))
        return trained.predictions(seen)

    known = signs(plain)
    accuracies: dict[str, list[float]] = {name: [] for name in CORRUPTIONS}
    unknown: dict[str, dict[str, Detection]] = {}
    strengths = {name: strengths_of(name, pictures.shape) for name in CORRUPTIONS}
    steps: list[tuple[str, float | None]] = [
        *((name, strength) for name, several in strengths.items() for strength in several),
        *((name, None) for name in UNKNOWN),
    ]
    for name, strength in with_progress(steps, len(steps), "stress"):
        random = np.random.default_rng(SEED)
        if strength is None:
            seen = signs(answers(UNKNOWN[name](pictures.images_NHWC, random)))
            unknown[name] = {sign: detection(known[sign], seen[sign]) for sign in known}
        else:
            worse = CORRUPTIONS[name][0](pictures.images_NHWC, strength, random)
            accuracies[name].append(_accuracy(answers(worse)))
    corruptions = {
        name: Corrupted(unit, strengths[name], tuple(accuracies[name]))
        for name, (_, unit, _) in CORRUPTIONS.items()
    }
    found = Stress(len(pictures), _accuracy(plain), corruptions, unknown)
    return trained.kept.put(artifacts.STRESS, found)


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.labels).mean())
