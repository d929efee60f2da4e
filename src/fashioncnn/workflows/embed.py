"""embed: from a run to a map of test pictures, on which those that it finds alike lie together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fashioncnn.data import sources
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.errors import RunError
from fashioncnn.explanation.embedding import features, place
from fashioncnn.recipes.build import build_preparation
from fashioncnn.reporting.facts import read_facts
from fashioncnn.reporting.figures import draw_explanations
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder, read_arrays, write_arrays
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.say import say

EMBEDDED = 5000


def embed(
    run: Run | Path | str, *, data: Path | str | None = None, device: DeviceName = "auto"
) -> list[Path]:
    """Lay the first 5,000 test pictures out on a map, and draw it.

    The weights are those of the run's test scores, made first where there are none. Leaves
    explanations/embedding.npz in the run; weights that have a map already get no other. Returns
    the pictures drawn, if any were. Raises RunError when the run cannot be used.
    """
    trained, predictions = open_evaluated(run, data, device)
    file = trained.run.explanations / "embedding.npz"
    if _is_of(file, trained.checkpoint_sha256):
        return []
    test = trained.pictures(sources.find(data), "test", "pictures")
    some = np.arange(min(EMBEDDED, len(test)))
    say(f"laying {len(some):,} pictures out on a map")
    images = as_uint8_NCHW(test.images_NHW[some], torch.device("cpu"))
    prepared = build_preparation(trained.recipe)(images)
    make_folder(file.parent)
    write_arrays(
        file,
        {
            "checkpoint_sha256": np.array(trained.checkpoint_sha256),
            "places": place(features(trained.network, prepared)),
            "labels": test.labels[some],
            "predicted": predictions.predicted[some],
        },
    )
    return draw_explanations(read_facts(trained.run), only="embedding")


def _is_of(file: Path, sha256: str) -> bool:
    try:
        return str(read_arrays(file)["checkpoint_sha256"]) == sha256
    except (RunError, KeyError):
        return False
