"""attribute: from a run to maps of what its answers rest on, checked before they are believed."""

from __future__ import annotations

import numpy as np
import torch

from fashioncnn.console.say import say
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.explanation.attribution import attributions, edges, random_maps, randomised
from fashioncnn.explanation.checks import check_maps
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Data, Trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.arrays import Arrays
from fashioncnn.runs.contents import AttributionChecks
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

CHECKED = 64
RIGHT_SHOWN, WRONG_SHOWN = 6, 6


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
        trained.prepared(test.images_NHW[checked]),
        torch.from_numpy(predictions.predicted[checked]),
        trained.preparation.of_grey(0.0),
    )
    trained.kept.put(artifacts.ATTRIBUTIONS, _maps(trained, test, predictions))
    return trained.kept.put(artifacts.ATTRIBUTION_CHECKS, AttributionChecks(len(checked), checks))


def _maps(trained: Trained, test: LabelledImages, predictions: Predictions) -> Arrays:
    """Return the maps of a few right and wrong answers, with all their controls."""
    right = predictions.predicted == predictions.labels
    shown = np.concatenate(
        [np.flatnonzero(right)[:RIGHT_SHOWN], np.flatnonzero(~right)[:WRONG_SHOWN]]
    )
    images, black = trained.prepared(test.images_NHW[shown]), trained.preparation.of_grey(0.0)
    answers = torch.from_numpy(predictions.predicted[shown])
    maps = attributions(trained.network, images, answers, black)
    control = attributions(randomised(trained.network), images, answers, black)
    return {
        "images": images[:, 0].numpy(),
        "indices": shown,
        "labels": test.labels[shown],
        "predicted": predictions.predicted[shown],
        "edges": edges(images),
        "random": random_maps(images),
        **{f"map {name}": one for name, one in maps.items()},
        **{f"control {name}": one for name, one in control.items()},
    }
