"""evaluate: from a run to its scores on the test or validation split."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from fashioncnn.benchmarking.cost import cost
from fashioncnn.bundles.bundle import Bundle, is_bundle
from fashioncnn.console.say import say, timed
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import BundleError, RunError
from fashioncnn.evaluation.as_photographed import as_photographed
from fashioncnn.evaluation.confidence import confidence
from fashioncnn.evaluation.pictures import confused_pictures, telling_pictures
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import Scores, score
from fashioncnn.evaluation.views import VIEWS, ViewsName
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun, as_run
from fashioncnn.opening.trained import CheckpointName, Trained, open_trained
from fashioncnn.runs import artifacts, checkpoints, readings
from fashioncnn.runs.artifact import Artifact, Kept
from fashioncnn.runs.artifacts import SplitName
from fashioncnn.runs.contents import ScoredCheckpoint, ScoredSplit
from fashioncnn.runs.directory import Run
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate_bundle import evaluate_bundle

# So many validation pictures are enough to say when an answer to a photograph is sure.
MOST_PHOTOGRAPHED = 2000


@user_code()
def evaluate(
    run: AnyRun | Bundle,
    *,
    split: SplitName = "test",
    checkpoint: CheckpointName = "best",
    views: ViewsName = "plain",
    data: Data = None,
    device: DeviceName = "auto",
) -> Scores:
    """Score the run's network on `split`, in fp32, and keep predictions and scores in the run.

    With `views` "flip" or "flip-shift", answers are averaged over 2 or 6 views of every picture.
    A split that this checkpoint has already predicted is not read again: its predictions are. A
    bundle is scored on the test split in plain view, on the processor, and nothing is kept. Raises
    RunError when the run or its checkpoint cannot be used, BundleError when a bundle cannot,
    DataError without data.
    """
    if isinstance(run, Bundle) or (isinstance(run, Path | str) and is_bundle(Path(run))):
        if (split, checkpoint, views) != ("test", "best", "plain"):
            raise BundleError("a bundle is scored on test, in plain view, alone")
        return evaluate_bundle(run, data=data).scores
    trained = open_trained(run, checkpoint, data, device)
    if data is not None:
        # What the run keeps is of its own pictures.
        trained.check_data()
    return evaluate_trained(trained, split, views)


def evaluate_trained(
    trained: Trained, split: SplitName = "test", views: ViewsName = "plain"
) -> Scores:
    """Score an opened network; see `evaluate`."""
    if views not in VIEWS:
        raise RunError(f"views is {views!r}; it must be {' or '.join(VIEWS)}")
    predictions, seconds = _predictions(trained, split, views)
    scores = score(predictions)
    scored = ScoredSplit(
        **{name: getattr(scores, name) for name in Scores.__dataclass_fields__},
        split=split,
        recipe=trained.recipe.name,
        seed=trained.run.seed,
        checkpoint=ScoredCheckpoint(trained.checkpoint, trained.epochs, trained.weights),
        test_readings=readings.count(trained.run, "evaluate"),
        views=views,
        passes=len(VIEWS[views]),
        seconds=seconds,
    )
    artifact = artifacts.scores(split, views)
    if trained.kept.get(artifact) != scored:
        trained.kept.put(artifact, scored)
    if split == "test" and views == "plain":
        _judge(trained, predictions)
    return scores


def open_evaluated(
    run: AnyRun | Trained, data: Data = None, device: DeviceName = "auto"
) -> Trained:
    """Open the weights whose test scores the run holds; the best, scored first, if it has none.

    A network that is open already is scored where it was not.

    What goes with the scores (predictions, confidence, cost) is whole in its `kept` afterwards.
    Raises RunError when the run cannot be used.
    """
    if isinstance(run, Trained):
        trained = run
    else:
        run = as_run(run)
        trained = open_trained(run, _scored_checkpoint(run), data, device)
    if not is_evaluated(trained.kept):
        say(f"evaluating {trained.run.path} on the test pictures")
        evaluate_trained(trained)
    return trained


def is_evaluated(kept: Kept) -> bool:
    """Say whether the run has whole test scores of these weights, and all that goes with them."""
    needed: tuple[Artifact[Any], ...] = (
        artifacts.scores(),
        artifacts.predictions(),
        artifacts.CONFIDENCE,
        artifacts.COST,
    )
    return all(kept.get(artifact) is not None for artifact in needed)


def predictions_of(trained: Trained, split: SplitName = "test") -> Predictions:
    """Return the plain predictions that `evaluate` kept. RunError when there are none."""
    arrays = trained.kept.get(artifacts.predictions(split))
    if arrays is None:
        raise RunError(f"{trained.run.path} has no predictions for {split}: evaluate it first")
    return Predictions.from_arrays(arrays)


def view_costs(trained: Trained, split: SplitName, views: ViewsName) -> dict[str, float]:
    """Return passes and seconds of a split's evaluation with `views`, and times the plain one."""
    plain = trained.kept.get(artifacts.scores(split))
    averaged = trained.kept.get(artifacts.scores(split, views))
    assert plain is not None
    assert averaged is not None
    return {
        "passes": averaged.passes,
        "seconds": averaged.seconds,
        "times_plain": averaged.seconds / plain.seconds,
    }


def _scored_checkpoint(run: Run) -> CheckpointName:
    """Return which checkpoint the run's test scores are of; "best" where it has no such."""
    file, artifact = run.path / artifacts.scores().path, artifacts.scores()
    try:
        scored, weights, _ = artifact.read(file)
    except RunError:
        return "best"
    of_last = scored.checkpoint.name == "last"
    last = checkpoints.describe(run.checkpoints, "last").tensors_sha256 if of_last else None
    return "last" if of_last and weights == last else "best"


def _predictions(trained: Trained, split: SplitName, views: ViewsName) -> tuple[Predictions, float]:
    """Return what these weights answer for `split`, from before or now, and the seconds."""
    artifact = artifacts.predictions(split, views)
    if (arrays := trained.kept.get(artifact)) is not None:
        return Predictions.from_arrays(arrays), float(arrays["seconds"])
    pictures = trained.pictures(split, "evaluate")
    network, preparation = trained.network, trained.preparation
    started = time.perf_counter()
    with timed(f"asking the network about {len(pictures):,} pictures on {trained.device}"):
        predictions = predict(network, pictures, preparation, trained.device, views)
    seconds = time.perf_counter() - started
    if split == "test" and views == "plain":
        _tell_of_copies(trained, pictures)
        trained.kept.put(artifacts.CONFUSED_PICTURES, confused_pictures(pictures, predictions))
        trained.kept.put(artifacts.TELLING_PICTURES, telling_pictures(pictures, predictions))
    trained.kept.put(artifact, predictions.arrays() | {"seconds": np.array(seconds)})
    return predictions, seconds


def _tell_of_copies(trained: Trained, test: LabelledImages) -> None:
    """Say how many test pictures are training pictures, pixel by pixel; `audit` does it better."""
    if trained.data.is_fashion_mnist:
        return
    known = set(trained.data.train.picture_digests())
    if copies := sum(one in known for one in test.picture_digests()):
        say(
            f"{copies:,} of {len(test):,} test pictures are training pictures, too: the scores are "
            "too good"
        )


def _judge(trained: Trained, predictions: Predictions) -> None:
    """Keep what goes with test scores: how far to trust the probabilities, and the cost."""
    if trained.kept.get(artifacts.CONFIDENCE) is None:
        validation = photographed = None
        if trained.recipe.data.validation_images:
            validation, _ = _predictions(trained, "validation", "plain")
            if trained.photographs:
                pictures = trained.pictures("validation", "evaluate")
                photographed = trained.predictions(as_photographed(pictures, MOST_PHOTOGRAPHED))
        found = confidence(predictions, validation, photographed)
        trained.kept.put(artifacts.CONFIDENCE, found)
    if trained.kept.get(artifacts.COST) is None:
        trained.kept.put(artifacts.COST, cost(trained.network, trained.preparation, trained.shape))
