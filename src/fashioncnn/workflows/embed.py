"""embed: from a run to a map of test pictures, on which those that it finds alike lie together."""

from __future__ import annotations

import numpy as np

from fashioncnn.console.say import say, timed
from fashioncnn.explanation.embedding import features, place
from fashioncnn.npz import Arrays
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import artifacts
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

EMBEDDED = 5000


@user_code()
def embed(run: AnyRun | Trained, *, data: Data = None, device: DeviceName = "auto") -> Arrays:
    """Lay the first 5,000 test pictures out on a map.

    The weights are those of the run's test scores, made first where there are none. Leaves
    explanations/embedding.npz in the run; weights that have a map already get no other. Returns
    "places" (n, 2), "labels" and "predicted" (n,). Raises RunError when the run cannot be used.
    """
    return embed_trained(open_evaluated(run, data, device))


@timed("laying pictures out on a map")
def embed_trained(trained: Trained) -> Arrays:
    """Lay test pictures out as an opened, evaluated network sees them; see `embed`."""
    if (found := trained.kept.get(artifacts.EMBEDDING)) is not None:
        return found
    predictions = predictions_of(trained)
    test = trained.pictures("test", "pictures")
    some = np.arange(min(EMBEDDED, len(test)))
    say(f"laying {len(some):,} pictures out on a map")
    prepared = trained.prepared(test.images_NHWC[some])
    return trained.kept.put(
        artifacts.EMBEDDING,
        {
            "places": place(features(trained.network, prepared)),
            "labels": test.labels[some],
            "predicted": predictions.predicted[some],
        },
    )
