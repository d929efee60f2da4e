"""evaluate: from a run to its scores on the test or validation split."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from fashioncnn.data import sources
from fashioncnn.errors import RunError
from fashioncnn.evaluation.calibration import Calibration
from fashioncnn.evaluation.confidence import confidence
from fashioncnn.evaluation.pictures import confused_pictures, telling_pictures
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import Scores, score
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
from fashioncnn.workflows.cost import cost
from fashioncnn.workflows.say import say
from fashioncnn.workflows.trained import CheckpointName, SplitName, Trained, open_trained

CONFIDENCE = "confidence.json"
COST = "cost.json"


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
    if split == "test" and views == "plain" and not is_evaluated(run):
        _judge(trained, predictions, data, device)
    return scores


def evaluated(run: Run, data: Path | str | None, device: DeviceName) -> Run:
    """Return the run with test scores of its present weights, evaluating it where it has none."""
    if not is_evaluated(run):
        say(f"evaluating {run.path} on the test pictures")
        evaluate(run, data=data, device=device)
    return run


def open_evaluated(
    run: Run | Path | str, data: Path | str | None, device: DeviceName
) -> tuple[Trained, Predictions]:
    """Return the network whose test scores the run holds, and what it answered.

    Evaluates the run where it has none. Raises RunError when the run cannot be used.
    """
    run = evaluated(run if isinstance(run, Run) else open_run(Path(run)), data, device)
    checkpoint = read_json(scores_file(run, "test"))["checkpoint"]["name"]
    return open_trained(run, checkpoint), predictions_of(run)


def view_costs(run: Run, split: SplitName, views: ViewsName) -> dict[str, float]:
    """Return passes and seconds of a split's evaluation with `views`, and times the plain one."""
    plain, averaged = (read_json(scores_file(run, split, name)) for name in ("plain", views))
    return {
        "passes": averaged["passes"],
        "seconds": averaged["seconds"],
        "times_plain": averaged["seconds"] / plain["seconds"],
    }


def is_evaluated(run: Run) -> bool:
    """Say whether the run has whole test scores, best or last, and all that goes with them."""
    try:
        scored = read_json(scores_file(run, "test"))
        Scores.from_json(scored)
        Calibration.from_json(confidence_of(run)["as_trained"])
        sha256 = scored["checkpoint"]["sha256"]
        return (
            sha256 in checkpoints.digests(run.checkpoints)
            and sha256 == confidence_of(run)["checkpoint_sha256"]
            and sha256 == cost_of(run)["checkpoint_sha256"]
            and predictions_file(run, "test").exists()
        )
    except (RunError, KeyError, TypeError, ValueError):
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


def cost_of(run: Run) -> dict[str, Any]:
    """Return what `evaluate` found about the cost of the run's network."""
    return dict(read_json(run.evaluation / COST))


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
            ("confused", confused_pictures(pictures, predictions)),
            ("telling", telling_pictures(pictures, predictions)),
        ):
            write_arrays(trained.run.evaluation / f"{name}_pictures.npz", chosen_pictures)
    stamp = {
        "checkpoint_sha256": np.array(trained.checkpoint_sha256),
        "seconds": np.array(seconds),
    }
    write_arrays(predictions_file(trained.run, split, views), predictions.arrays() | stamp)
    return predictions, seconds


def _judge(
    trained: Trained, predictions: Predictions, data: Path | str | None, device: DeviceName
) -> None:
    """Keep what goes with test scores: how far to trust the probabilities, and the cost."""
    stamp = {"checkpoint_sha256": trained.checkpoint_sha256}
    found = confidence(predictions, _validation(trained, data, device))
    write_text(trained.run.evaluation / CONFIDENCE, to_json(stamp | found))
    write_text(trained.run.evaluation / COST, to_json(stamp | cost(trained)))


def _validation(
    trained: Trained, data: Path | str | None, device: DeviceName
) -> Predictions | None:
    """Return what the same weights answer for the validation pictures, where there are any."""
    if not trained.recipe.data.validation_images:
        return None
    kept = _kept_predictions(trained, "validation", "plain")
    return (kept or _predict(trained, "validation", "plain", data, device))[0]
