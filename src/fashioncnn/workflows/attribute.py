"""What a full explanation adds: which pixels answers rest on, checked, and a map of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from fashioncnn.data import sources
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predict import predict
from fashioncnn.explanation.attribution import attributions, edges, random_maps, randomised
from fashioncnn.explanation.checks import check_maps
from fashioncnn.explanation.embedding import embed, features
from fashioncnn.recipes.build import build_preparation
from fashioncnn.reporting.facts import read_facts
from fashioncnn.reporting.figures import draw_attributions
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, read_json, to_json, write_arrays, write_text
from fashioncnn.workflows.say import say
from fashioncnn.workflows.trained import CheckpointName, open_trained

CHECKED = 64
EMBEDDED = 5000
RIGHT_SHOWN, WRONG_SHOWN = 6, 6
CONTROL_SEED = 0


def attribute(
    run: Run | Path | str,
    *,
    checkpoint: CheckpointName = "best",
    data: Path | str | None = None,
) -> list[Path]:
    """Draw maps of attribution beside their controls, and lay pictures out on a map.

    Grad-CAM, integrated gradients and occlusion stand beside the same of a network with random
    weights, an edge detector and noise; all are checked on 64 test pictures (see
    `explanation.checks`). Leaves explanations/attributions.npz and .json in the run; weights
    that were explained so already are not again. Returns the pictures drawn. Raises RunError when
    the run cannot be used.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    trained = open_trained(run, checkpoint)
    if _explained(run, trained.checkpoint_sha256):
        return draw_attributions(read_facts(run))
    test = trained.pictures(sources.find(data), "test", "pictures")
    preparation, processor = build_preparation(trained.recipe), torch.device("cpu")
    predictions = predict(trained.network, test, preparation, processor)
    say(f"checking maps of attribution on {CHECKED} pictures")
    black = -preparation.pixel_mean / preparation.pixel_std

    def prepared(indices: np.ndarray[Any, np.dtype[np.int64]]) -> torch.Tensor:
        images: torch.Tensor = preparation(as_uint8_NCHW(test.images_NHW[indices], processor))
        return images

    checked = np.arange(min(CHECKED, len(test)))
    answers = torch.from_numpy(predictions.predicted)
    found = check_maps(trained.network, prepared(checked), answers[checked], black)

    right = predictions.predicted == predictions.labels
    shown = np.concatenate(
        [np.flatnonzero(right)[:RIGHT_SHOWN], np.flatnonzero(~right)[:WRONG_SHOWN]]
    )
    images = prepared(shown)
    maps = attributions(trained.network, images, answers[shown], black)
    control = attributions(randomised(trained.network, CONTROL_SEED), images, answers[shown], black)
    make_folder(run.explanations)
    write_arrays(
        run.explanations / "attributions.npz",
        {
            "images": images[:, 0].numpy(),
            "indices": shown,
            "labels": test.labels[shown],
            "predicted": predictions.predicted[shown],
            "edges": edges(images),
            "random": random_maps(images),
            **{f"map {name}": one for name, one in maps.items()},
            **{f"control {name}": one for name, one in control.items()},
        },
    )
    say(f"laying {min(EMBEDDED, len(test)):,} pictures out on a map")
    mapped = np.arange(min(EMBEDDED, len(test)))
    write_arrays(
        run.explanations / "embedding.npz",
        {
            "places": embed(features(trained.network, prepared(mapped))),
            "labels": test.labels[mapped],
            "predicted": predictions.predicted[mapped],
        },
    )
    facts = {
        "checkpoint_sha256": trained.checkpoint_sha256,
        "n": len(checked),
        "checks": {name: check.to_json() for name, check in found.items()},
    }
    write_text(run.explanations / "attributions.json", to_json(facts))
    return draw_attributions(read_facts(run))


def _explained(run: Run, sha256: str) -> bool:
    try:
        return bool(
            read_json(run.explanations / "attributions.json")["checkpoint_sha256"] == sha256
        )
    except (RunError, KeyError, TypeError):
        return False
