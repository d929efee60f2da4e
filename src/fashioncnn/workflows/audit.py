"""data audit: copies within and across the splits, and labels that a person should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fashioncnn.console.say import with_progress
from fashioncnn.data.duplicates import Pair, near_duplicates
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.data.randomness import stream_seed
from fashioncnn.data.splits import Splits
from fashioncnn.errors import DataError
from fashioncnn.evaluation.label_candidates import Candidate, candidates
from fashioncnn.evaluation.predict import predict
from fashioncnn.explanation.alike import AlikePair, most_alike
from fashioncnn.explanation.embedding import features
from fashioncnn.opening.data import Data, data_of, open_data
from fashioncnn.opening.runs import AnyRun, open_runs
from fashioncnn.opening.trained import Trained
from fashioncnn.recipes.build import build_preparation, build_state, build_training
from fashioncnn.recipes.fit import fit
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.reporting.audit import candidate_sheet, pair_sheet
from fashioncnn.reporting.documents.audit import AuditDocument, AuditedRun
from fashioncnn.reporting.html import write_page
from fashioncnn.runs.files import make_folder, to_json, write_text
from fashioncnn.training.device import DeviceName, fabric_for
from fashioncnn.training.processes import Processes
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

DEFAULT_OUT = Path("audit")
AUDIT, PAGE = "audit.json", "report.html"
FOLDS = 5
NEAR_RMS = 10.0
PAIRS_ALIKE = 100
EMBEDDED_AT_ONCE = 5000


@dataclass(frozen=True)
class Audit:
    """What was found: pairs and candidates by position; training pictures come before test's.

    `pairs` are near by their pixels; the pairs alike are near by a network's features, those of a
    training and a test picture, and those of two labels.
    `scores` tells, for each run given, its accuracy on all test pictures and without candidates.
    """

    train_images: int
    test_images: int
    pairs: tuple[Pair, ...]
    alike_across: tuple[AlikePair, ...]
    alike_labelled_differently: tuple[AlikePair, ...]
    train_candidates: tuple[Candidate, ...]
    test_candidates: tuple[Candidate, ...]
    scores: tuple[dict[str, Any], ...]

    @property
    def across(self) -> list[Pair]:
        """The pairs of a training picture and a test picture."""
        return [pair for pair in self.pairs if pair.first < self.train_images <= pair.second]

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values."""
        return asdict(self)


@user_code()
def audit(
    runs: Sequence[AnyRun] = (),
    *,
    recipe: str = "fast-92",
    seed: int = 0,
    data: Data = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
) -> Audit:
    """Look for copies and for doubtful labels, and write audit.json and the page to `out`.

    Probabilities of training pictures are out of fold: `recipe` trains five times, each time
    without a fifth of them; those of test pictures are the five networks' mean. The last of the
    five also says which pictures it finds alike. `runs` are then
    scored with and without the test pictures that are candidates. Raises DataError without data,
    RecipeError for an unknown recipe, RunError when a run cannot be used.
    """
    opened = open_runs(runs)
    opened_data = data_of(opened[0], data) if opened else open_data(data)
    trained = [open_evaluated(run, opened_data, device) for run in opened]
    chosen, _ = fit(load(recipe, ["data.validation_images=0"]), opened_data)
    train, test = opened_data.train, opened_data.test
    folder = make_folder(Path(out))
    pairs = find_pairs(np.concatenate([train.images_NHWC, test.images_NHWC]))
    train_p, test_p, network = out_of_fold(chosen, train, test, seed, device)
    across, labelled_differently = _alike(chosen, network, train, test)
    test_found = candidates(test.labels, test_p)
    found = Audit(
        len(train),
        len(test),
        tuple(pairs),
        tuple(across),
        tuple(labelled_differently),
        tuple(candidates(train.labels, train_p)),
        tuple(test_found),
        tuple(_scores_without(one, test_found) for one in trained),
    )
    write_text(folder / AUDIT, to_json(found.to_json()))
    write_page(_document(found, train, test), folder / PAGE, folder / "figures")
    return found


def find_pairs(images_NHWC: NDArray[np.uint8]) -> list[Pair]:
    """Return all pairs of at most 10 greys root-mean-square difference, the nearest first."""
    pairs = near_duplicates(
        images_NHWC,
        NEAR_RMS,
        lambda blocks: with_progress(blocks, len(blocks), "comparing pictures"),
    )
    return sorted(pairs, key=lambda pair: (pair.rms, pair.first, pair.second))


def out_of_fold(
    recipe: Recipe, train: LabelledImages, test: LabelledImages, seed: int, device: DeviceName
) -> tuple[NDArray[np.float64], NDArray[np.float64], nn.Module]:
    """Return the probabilities of the training pictures, out of fold, and of the test pictures.

    The third is the network of the last fold, on the processor. Raises DataError when there are
    fewer training pictures than folds.
    """
    if len(train) < FOLDS:
        raise DataError(f"{len(train)} training pictures cannot be cut into {FOLDS} folds")
    fabric = fabric_for(device, recipe.training.precision)
    preparation = build_preparation(recipe)
    order = np.random.default_rng(stream_seed(seed, "folds")).permutation(len(train))
    train_p = np.zeros((len(train), train.classes))
    test_p = np.zeros((len(test), train.classes))
    for number in with_progress(
        range(FOLDS), FOLDS, f"training {recipe.name} without a fifth of the pictures"
    ):
        held = np.sort(order[number::FOLDS])
        kept = train.take(np.setdiff1d(np.arange(len(train)), held))
        state = build_state(
            recipe,
            train.classes,
            seed + number,
            fabric.device,
            image_count=len(kept),
            channels=train.shape.channels,
        )
        splits = Splits(kept, train.take(np.empty(0, np.int64)), np.empty(0, np.int64))
        for _ in build_training(recipe, splits, seed + number, Processes(fabric)).run(state):
            pass
        held_out = predict(state.predictor, train.take(held), preparation, fabric.device)
        train_p[held] = np.exp(held_out.log_probabilities)
        seen = predict(state.predictor, test, preparation, fabric.device)
        test_p += np.exp(seen.log_probabilities) / FOLDS
    return train_p, test_p, state.predictor.cpu()


def _alike(
    recipe: Recipe, network: nn.Module, train: LabelledImages, test: LabelledImages
) -> tuple[list[AlikePair], list[AlikePair]]:
    """Return the pairs that the network finds most alike, across the splits and across labels."""
    preparation = build_preparation(recipe)
    found = []
    for pictures in (train, test):
        for start in range(0, len(pictures), EMBEDDED_AT_ONCE):
            images_NHWC = pictures.images_NHWC[start : start + EMBEDDED_AT_ONCE]
            uint8_NCHW = as_uint8_NCHW(images_NHWC, torch.device("cpu"))
            found.append(features(network, preparation(uint8_NCHW)))
    features_NF = np.concatenate(found)
    splits = np.repeat([0, 1], [len(train), len(test)])
    labels = np.concatenate([train.labels, test.labels])
    return (
        most_alike(features_NF, splits, PAIRS_ALIKE),
        most_alike(features_NF, labels, PAIRS_ALIKE),
    )


def _scores_without(trained: Trained, found: Sequence[Candidate]) -> dict[str, Any]:
    predictions = predictions_of(trained)
    right = predictions.predicted == predictions.labels
    clean = np.ones(len(right), bool)
    clean[[one.index for one in found]] = False
    return {
        "run": str(trained.run.path),
        "accuracy": float(right.mean()),
        "accuracy_without_candidates": float(right[clean].mean()),
        "candidates": len(found),
    }


def _document(found: Audit, train: LabelledImages, test: LabelledImages) -> AuditDocument:
    return AuditDocument(
        kind="audit",
        class_names=train.class_names,
        picture_count=len(train) + len(test),
        train_count=len(train),
        test_count=len(test),
        exact_copies=sum(pair.rms == 0 for pair in found.pairs),
        near_across=len(found.across),
        train_candidates=len(found.train_candidates),
        test_candidates=len(found.test_candidates),
        scores=tuple(
            AuditedRun(one["run"], one["accuracy"], one["accuracy_without_candidates"])
            for one in found.scores
        ),
        across=pair_sheet(found.across, lambda pair: f"differ by {pair.rms:.1f}", train, test),
        alike_across=pair_sheet(found.alike_across, _alike_words, train, test),
        alike_labelled_differently=pair_sheet(
            found.alike_labelled_differently, _alike_words, train, test
        ),
        train=candidate_sheet(found.train_candidates, train),
        test=candidate_sheet(found.test_candidates, test),
    )


def _alike_words(pair: AlikePair) -> str:
    return f"alike {pair.cosine:.4f}"
