"""stress: from a run to how it answers worse pictures, and pictures of nothing it knows."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data import sources
from fashioncnn.errors import RunError
from fashioncnn.evaluation.corruptions import CORRUPTIONS
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.unknown import UNKNOWN, detection, signs
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.training.device import DeviceName, choose_device
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.say import tracked

FILE = "stress.json"
SEED = 20170825


def stress(
    run: Run | Path | str,
    *,
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> dict[str, Any]:
    """Score the run's network on worse test pictures and see whether it notices unknown ones.

    The weights are those of the run's test scores, made first where there are none. Leaves
    evaluation/stress.json in the run, and returns what it says; weights that were stressed
    already are not again. Raises RunError when the run cannot be used, DataError without data.
    """
    trained, plain = open_evaluated(run, data, device)
    file = trained.run.evaluation / FILE
    if (kept := _kept(file)).get("checkpoint_sha256") == trained.checkpoint_sha256:
        return kept
    pictures = trained.pictures(sources.find(data), "test", "stress")
    preparation, chosen = build_preparation(trained.recipe), choose_device(device)

    def answers(images_NHW: NDArray[np.uint8]) -> Predictions:
        seen = replace(pictures, images_NHW=np.ascontiguousarray(images_NHW))
        return predict(trained.network, seen, preparation, chosen)

    known = signs(plain)
    accuracies: dict[str, list[float]] = {name: [] for name in CORRUPTIONS}
    unknown: dict[str, Any] = {}
    steps = [(name, strength) for name, (_, _, all_) in CORRUPTIONS.items() for strength in all_]
    for name, strength in tracked([*steps, *((name, None) for name in UNKNOWN)], "stress"):
        random = np.random.default_rng(SEED)
        if strength is None:
            seen = signs(answers(UNKNOWN[name](pictures.images_NHW, random)))
            unknown[name] = {sign: asdict(detection(known[sign], seen[sign])) for sign in known}
        else:
            worse = CORRUPTIONS[name][0](pictures.images_NHW, strength, random)
            accuracies[name].append(_accuracy(answers(worse)))
    found = {
        "checkpoint_sha256": trained.checkpoint_sha256,
        "n": len(pictures),
        "accuracy": _accuracy(plain),
        "corruptions": {
            name: {"unit": unit, "strengths": strengths, "accuracies": accuracies[name]}
            for name, (_, unit, strengths) in CORRUPTIONS.items()
        },
        "unknown": unknown,
    }
    write_text(file, to_json(found))
    return found


def _kept(file: Path) -> dict[str, Any]:
    """Return what an earlier `stress` left, if it is whole."""
    try:
        found = read_json(file)
    except RunError:
        return {}
    return found if isinstance(found, dict) else {}


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.labels).mean())
