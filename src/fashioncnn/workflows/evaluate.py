"""evaluate: from a run to its scores on the test or validation split."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data import sources
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import RunError
from fashioncnn.evaluation.calibration import calibration, fit_temperature
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import Scores, score
from fashioncnn.evaluation.selective import answering, risk_coverage, threshold
from fashioncnn.evaluation.views import VIEWS, ViewsName
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs import checkpoints, readings
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import (
    make_folder,
    read_arrays,
    read_json,
    to_json,
    write_arrays,
    write_text,
)
from fashioncnn.training.device import DeviceName, choose_device
from fashioncnn.workflows.trained import CheckpointName, SplitName, Trained, open_trained

PICTURES_A_CONFUSION = 8
TELLING_PICTURES = 24
CONFIDENCE = "confidence.json"
# What share of the answers may be wrong, where a threshold on confidence is chosen.
TOLERATED_ERRORS = (0.01, 0.02, 0.05)


def evaluate(
    run: Run | Path | str,
    *,
    split: SplitName = "test",
    checkpoint: CheckpointName = "best",
    views: ViewsName = "plain",
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> Scores:
    """Score the run's network on `split`, in fp32, and keep predictions and scores in the run.

    With `views` "flip" or "flip-shift", answers are averaged over 2 or 6 views of every picture.
    A split that this checkpoint has already predicted is not read again: its predictions are.
    Raises RunError when the run or its checkpoint cannot be used, DataError without data.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    trained = open_trained(run, checkpoint)
    kept = _kept_predictions(trained, split, views)
    predictions, seconds = kept or _predict(trained, split, views, data, device)
    scores = score(predictions)
    facts = _facts(trained, split)
    facts |= {"views": views, "passes": len(VIEWS[views]), "seconds": seconds}
    write_text(scores_file(run, split, views), to_json(facts | scores.to_json()))
    if split == "test" and views == "plain":
        validation = _validation(trained, data, device)
        write_text(run.evaluation / CONFIDENCE, to_json(_confidence(predictions, validation)))
    return scores


def view_costs(run: Run, split: SplitName, views: ViewsName) -> dict[str, float]:
    """Return passes and seconds of a split's evaluation with `views`, and times the plain one."""
    plain, averaged = (read_json(scores_file(run, split, name)) for name in ("plain", views))
    return {
        "passes": averaged["passes"],
        "seconds": averaged["seconds"],
        "times_plain": averaged["seconds"] / plain["seconds"],
    }


def is_evaluated(run: Run) -> bool:
    """Say whether the run has whole test scores of its present weights, best or last."""
    try:
        facts = read_json(scores_file(run, "test"))
        Scores.from_json(facts)
        confidence_of(run)
        return facts["checkpoint"]["sha256"] in checkpoints.digests(run.checkpoints)
    except (RunError, KeyError, TypeError):
        return False


def scores_file(run: Run, split: SplitName, views: ViewsName = "plain") -> Path:
    """Return where the scores of `split` lie; plain ones of test are those without a prefix."""
    return run.evaluation / f"{_prefix(split, views)}scores.json"


def predictions_file(run: Run, split: SplitName, views: ViewsName = "plain") -> Path:
    """Return where the predictions for `split` lie."""
    return run.evaluation / f"{_prefix(split, views)}predictions.npz"


def predictions_of(run: Run, split: SplitName = "test") -> Predictions:
    """Return the plain predictions that `evaluate` left. RunError when they are not whole."""
    path = predictions_file(run, split)
    try:
        return Predictions.from_arrays(read_arrays(path))
    except KeyError as error:
        raise RunError(f"{path}: damaged, without {error}") from None


def confidence_of(run: Run) -> dict[str, Any]:
    """Return what `evaluate` found about the run's probabilities on the test pictures."""
    return dict(read_json(run.evaluation / CONFIDENCE))


def _prefix(split: SplitName, views: ViewsName) -> str:
    return ("" if split == "test" else f"{split}-") + ("" if views == "plain" else f"{views}-")


def _facts(trained: Trained, split: SplitName) -> dict[str, Any]:
    return {
        "split": split,
        "recipe": trained.recipe.name,
        "seed": trained.run.seed,
        "checkpoint": {
            "name": trained.checkpoint,
            "epochs": trained.checkpoint_epochs,
            "sha256": trained.checkpoint_sha256,
        },
        "test_readings": len(
            [line for line in readings.read(trained.run) if line["purpose"] == "evaluate"]
        ),
    }


def _kept_predictions(
    trained: Trained, split: SplitName, views: ViewsName
) -> tuple[Predictions, float] | None:
    """Return the predictions that this very checkpoint made earlier, if whole, and their time."""
    try:
        arrays = read_arrays(predictions_file(trained.run, split, views))
        if str(arrays["checkpoint_sha256"]) == trained.checkpoint_sha256:
            return Predictions.from_arrays(arrays), float(arrays["seconds"])
    except (RunError, KeyError):
        pass
    return None


def _predict(
    trained: Trained,
    split: SplitName,
    views: ViewsName,
    data: Path | str | None,
    device: DeviceName,
) -> tuple[Predictions, float]:
    source = sources.find(data)
    chosen = choose_device(device)
    pictures = trained.pictures(source, split, "evaluate")
    preparation = build_preparation(trained.recipe)
    started = time.perf_counter()
    predictions = predict(trained.network, pictures, preparation, chosen, views)
    seconds = time.perf_counter() - started
    make_folder(trained.run.evaluation)
    if split == "test" and views == "plain":
        for name, chosen_pictures in (
            ("confused", _confused_pictures(pictures, predictions)),
            ("telling", _telling_pictures(pictures, predictions)),
        ):
            write_arrays(trained.run.evaluation / f"{name}_pictures.npz", chosen_pictures)
    stamp = {
        "checkpoint_sha256": np.array(trained.checkpoint_sha256),
        "seconds": np.array(seconds),
    }
    write_arrays(predictions_file(trained.run, split, views), predictions.arrays() | stamp)
    return predictions, seconds


def _validation(
    trained: Trained, data: Path | str | None, device: DeviceName
) -> Predictions | None:
    """Return what the same weights answer for the validation pictures, where there are any."""
    if not trained.recipe.data.validation_images:
        return None
    kept = _kept_predictions(trained, "validation", "plain")
    return (kept or _predict(trained, "validation", "plain", data, device))[0]


def _confidence(test: Predictions, validation: Predictions | None) -> dict[str, Any]:
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


def _confused_pictures(
    pictures: LabelledImages, predictions: Predictions
) -> dict[str, NDArray[Any]]:
    """Choose, of every top confusion, the pictures the network was surest about, for the report."""
    names = predictions.class_names
    probability = np.exp(predictions.log_probabilities.max(axis=1))
    chosen: list[int] = []
    for pair in score(predictions).top_confusions:
        of_pair = np.flatnonzero(
            (predictions.labels == names.index(pair.true))
            & (predictions.predicted == names.index(pair.predicted))
        )
        chosen.extend(of_pair[np.argsort(-probability[of_pair])][:PICTURES_A_CONFUSION])
    indices = np.array(chosen, np.int64)
    return {
        "images": pictures.images_NHW[indices],
        "indices": indices,
        "labels": predictions.labels[indices],
        "predicted": predictions.predicted[indices],
        "probabilities": probability[indices],
    }


def _telling_pictures(
    pictures: LabelledImages, predictions: Predictions
) -> dict[str, NDArray[Any]]:
    """Choose the worst mistakes (kind 0) and the right answers that came closest to wrong (1).

    A mistake's other class is the true one, a right answer's the second choice.
    """
    probabilities = np.exp(predictions.log_probabilities)
    rows = np.arange(len(probabilities))
    answers, labels = predictions.predicted, predictions.labels
    second = probabilities.copy()
    second[rows, answers] = -1
    wrong = answers != labels
    others = np.where(wrong, labels, second.argmax(axis=1))
    answer_p, other_p = probabilities[rows, answers], probabilities[rows, others]
    mistakes = np.flatnonzero(wrong)
    mistakes = mistakes[np.argsort(other_p[mistakes], kind="stable")][:TELLING_PICTURES]
    right = np.flatnonzero(~wrong)
    margin = answer_p[right] - other_p[right]
    right = right[np.argsort(margin, kind="stable")][:TELLING_PICTURES]
    chosen = np.concatenate([mistakes, right])
    return {
        "images": pictures.images_NHW[chosen],
        "indices": chosen,
        "kind": np.repeat([0, 1], [len(mistakes), len(right)]),
        "answers": answers[chosen],
        "others": others[chosen],
        "answer_probabilities": answer_p[chosen],
        "other_probabilities": other_p[chosen],
    }
