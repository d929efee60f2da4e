"""What `evaluate` adds in full: worse pictures, and pictures of nothing known."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data import sources
from fashioncnn.data.anything import read_pictures
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import RunError
from fashioncnn.evaluation.corruptions import CORRUPTIONS
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.unknown import UNKNOWN, detection, signs
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text
from fashioncnn.training.device import DeviceName, choose_device
from fashioncnn.workflows.evaluate import evaluate, predictions_of
from fashioncnn.workflows.say import tracked
from fashioncnn.workflows.trained import CheckpointName, open_trained

FILE = "stress.json"
SEED = 20170825


def stress(
    run: Run | Path | str,
    *,
    checkpoint: CheckpointName = "best",
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> dict[str, Any]:
    """Score the run's network on worse test pictures and see whether it notices unknown ones.

    Leaves evaluation/stress.json in the run, and returns what it says; weights that were stressed
    already are not again. Raises RunError when the run cannot be used, DataError without data.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    trained = open_trained(run, checkpoint)
    file = run.evaluation / FILE
    if (kept := stress_of(run)) and kept.get("checkpoint_sha256") == trained.checkpoint_sha256:
        return kept
    pictures = trained.pictures(sources.find(data), "test", "stress")
    preparation, chosen = build_preparation(trained.recipe), choose_device(device)

    def answers(images_NHW: NDArray[np.uint8]) -> Predictions:
        seen = replace(pictures, images_NHW=np.ascontiguousarray(images_NHW))
        return predict(trained.network, seen, preparation, chosen)

    plain = answers(pictures.images_NHW)
    accuracies: dict[str, list[float]] = {name: [] for name in CORRUPTIONS}
    unknown: dict[str, Any] = {}
    steps = [(name, strength) for name, (_, _, all_) in CORRUPTIONS.items() for strength in all_]
    for name, strength in tracked([*steps, *((name, None) for name in UNKNOWN)], "stress"):
        random = np.random.default_rng(SEED)
        if strength is None:
            seen = signs(answers(UNKNOWN[name](pictures.images_NHW, random)))
            unknown[name] = {
                sign: asdict(detection(known, seen[sign])) for sign, known in signs(plain).items()
            }
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
    make_folder(file.parent)
    write_text(file, to_json(found))
    return found


def unknown(
    run: Run | Path | str,
    path: Path | str,
    *,
    checkpoint: CheckpointName = "best",
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> dict[str, Any]:
    """See whether the run's network notices that the pictures at `path` are nothing it knows.

    `path` is an IDX file, a picture, or a folder of pictures. Answers n, and AUROC and the false
    positive rate at 95 % against the test pictures, by probability and by energy. Raises
    DataError when there are no pictures, RunError when the run cannot be used.
    """
    images_NHW = read_pictures(Path(path))
    run = run if isinstance(run, Run) else open_run(Path(run))
    evaluate(run, checkpoint=checkpoint, data=data, device=device)
    known = signs(predictions_of(run))
    trained = open_trained(run, checkpoint)
    pictures = LabelledImages(images_NHW, np.zeros(len(images_NHW), np.int64))
    preparation = build_preparation(trained.recipe)
    seen = signs(predict(trained.network, pictures, preparation, choose_device(device)))
    found = {sign: asdict(detection(known[sign], seen[sign])) for sign in known}
    return {"path": str(path), "n": len(images_NHW), **found}


def stress_of(run: Run) -> dict[str, Any] | None:
    """Return what `stress` found, if it did."""
    try:
        return dict(read_json(run.evaluation / FILE))
    except RunError:
        return None


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.labels).mean())
