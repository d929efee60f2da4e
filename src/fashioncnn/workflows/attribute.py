"""attribute: from a run to maps of what its answers rest on, checked before they are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashioncnn.data import sources
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.explanation.attribution import attributions, edges, random_maps, randomised
from fashioncnn.explanation.checks import check_maps
from fashioncnn.recipes.build import build_preparation
from fashioncnn.reporting.facts import read_facts
from fashioncnn.reporting.figures import draw_explanations
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder, read_json, to_json, write_arrays, write_text
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.say import say
from fashioncnn.workflows.trained import Trained

CHECKED = 64
RIGHT_SHOWN, WRONG_SHOWN = 6, 6


def attribute(
    run: Run | Path | str, *, data: Path | str | None = None, device: DeviceName = "auto"
) -> list[Path]:
    """Draw maps of attribution for right and wrong answers, each beside its controls.

    Grad-CAM, integrated gradients and occlusion stand beside the same of a network with random
    weights, an edge detector and noise; all are checked on 64 test pictures (see
    `explanation.checks`). The weights are those of the run's test scores, made first where there
    are none. Leaves explanations/attributions.npz and .json in the run; weights that were
    explained so already are not again. Returns the pictures drawn, if any were. Raises RunError
    when the run cannot be used.
    """
    trained, predictions = open_evaluated(run, data, device)
    facts_file = trained.run.explanations / "attributions.json"
    if _is_of(facts_file, trained.checkpoint_sha256):
        return []
    test = trained.pictures(sources.find(data), "test", "pictures")
    say(f"checking maps of attribution on {CHECKED} pictures")
    make_folder(trained.run.explanations)
    checked = np.arange(min(CHECKED, len(test)))
    preparation = build_preparation(trained.recipe)
    black = -preparation.pixel_mean / preparation.pixel_std
    found = check_maps(
        trained.network,
        _prepared(test, checked, preparation),
        torch.from_numpy(predictions.predicted[checked]),
        black,
    )
    arrays = _maps(trained, test, predictions, preparation, black)
    write_arrays(trained.run.explanations / "attributions.npz", arrays)
    facts = {
        "checkpoint_sha256": trained.checkpoint_sha256,
        "n": len(checked),
        "checks": {name: check.to_json() for name, check in found.items()},
    }
    write_text(facts_file, to_json(facts))
    return draw_explanations(read_facts(trained.run), only="attribution")


def _maps(
    trained: Trained,
    test: LabelledImages,
    predictions: Predictions,
    preparation: Preparation,
    black: float,
) -> dict[str, NDArray[Any]]:
    """Return the maps of a few right and wrong answers, with all their controls."""
    right = predictions.predicted == predictions.labels
    shown = np.concatenate(
        [np.flatnonzero(right)[:RIGHT_SHOWN], np.flatnonzero(~right)[:WRONG_SHOWN]]
    )
    images = _prepared(test, shown, preparation)
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


def _prepared(test: LabelledImages, indices: NDArray[Any], preparation: Preparation) -> Tensor:
    return preparation(as_uint8_NCHW(test.images_NHW[indices], torch.device("cpu")))


def _is_of(file: Path, sha256: str) -> bool:
    try:
        return bool(read_json(file)["checkpoint_sha256"] == sha256)
    except (RunError, KeyError, TypeError):
        return False
