"""attribute: from a run to maps of what its answers rest on, checked before they are believed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fashioncnn.console.say import say, timed
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.explanation.attribution import attributions, edges, random_maps, randomised
from fashioncnn.explanation.checks import check_maps
from fashioncnn.npz import Arrays
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.contents import AttributionChecks
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

CHECKED = 64
RIGHT_SHOWN, WRONG_SHOWN = 6, 6


@user_code()
def attribute(
    run: AnyRun | Trained, *, data: Data = None, device: DeviceName = "auto"
) -> AttributionChecks:
    """Keep maps of attribution for right and wrong answers, each beside its controls.

    Grad-CAM, integrated gradients and occlusion stand beside the same of a network with random
    weights, an edge detector and noise; all are checked on 64 test pictures (see
    `explanation.checks`). The weights are those of the run's test scores, made first where there
    are none; what was explained so already is not again. Returns what the checks found. Raises
    RunError when the run cannot be used.
    """
    return attribute_trained(open_evaluated(run, data, device))


@timed("attributing answers to pixels")
def attribute_trained(trained: Trained) -> AttributionChecks:
    """Attribute the answers of an opened, evaluated network; see `attribute`."""
    found = trained.kept.get(artifacts.ATTRIBUTION_CHECKS)
    if found is not None and trained.kept.get(artifacts.ATTRIBUTIONS) is not None:
        return found
    predictions = predictions_of(trained)
    test = trained.pictures("test", "pictures")
    say(f"checking maps of attribution on {CHECKED} pictures")
    checked = np.arange(min(CHECKED, len(test)))
    checks = check_maps(
        trained.network,
        trained.prepared(test.images_NHWC[checked]),
        torch.from_numpy(predictions.predicted[checked]),
        trained.preparation.of_grey(0.0),
    )
    trained.kept.put(artifacts.ATTRIBUTIONS, _maps(trained, test, predictions))
    return trained.kept.put(artifacts.ATTRIBUTION_CHECKS, AttributionChecks(len(checked), checks))


def first_of_each(indices: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `indices` with the first of each class in front, then the second of each, …"""
    turn = np.zeros(len(indices), np.int64)
    for label in np.unique(labels[indices]):
        mine = labels[indices] == label
        turn[mine] = np.arange(mine.sum())
    return indices[np.argsort(turn, kind="stable")]


def _maps(trained: Trained, test: LabelledImages, predictions: Predictions) -> Arrays:
    """Return the maps of a few right and wrong answers, with all their controls."""
    right = predictions.predicted == predictions.labels
    chosen = (
        first_of_each(np.flatnonzero(found), test.labels)[:count]
        for found, count in ((right, RIGHT_SHOWN), (~right, WRONG_SHOWN))
    )
    shown = np.concatenate(list(chosen))
    images, black = trained.prepared(test.images_NHWC[shown]), trained.preparation.of_grey(0.0)
    answers = torch.from_numpy(predictions.predicted[shown])
    maps = attributions(trained.network, images, answers, black)
    control = attributions(randomised(trained.network), images, answers, black)
    return {
        "images": test.images_NHWC[shown],
        "indices": shown,
        "labels": test.labels[shown],
        "predicted": predictions.predicted[shown],
        "edges": edges(images),
        "random": random_maps(images),
        **{f"map {name}": one for name, one in maps.items()},
        **{f"control {name}": one for name, one in control.items()},
    }
