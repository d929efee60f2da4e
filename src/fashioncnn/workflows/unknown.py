"""unknown: does a run's network notice that pictures of the user's own are nothing it knows?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fashioncnn.data.images import LabelledImages
from fashioncnn.data.unlabelled import read_pictures
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predict import predict
from fashioncnn.evaluation.unknown import detection, signs
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.training.device import DeviceName, choose_device
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.trained import Trained

FILE = "unknown.json"


def unknown(
    run: Run | Path | str,
    path: Path | str,
    *,
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> dict[str, Any]:
    """Compare the pictures at `path` with the test pictures: is the network less sure of them?

    `path` is an IDX file, a picture, or a folder of pictures. The weights are those of the run's
    test scores, made first where there are none. Answers n, and by probability and by energy
    AUROC and the false positive rate at 95 %; the run keeps it for its page. Raises DataError when
    there are no pictures, RunError when the run cannot be used.
    """
    images_NHW = read_pictures(Path(path))
    trained, known_answers = open_evaluated(run, data, device)
    pictures = LabelledImages(images_NHW, np.zeros(len(images_NHW), np.int64))
    preparation = build_preparation(trained.recipe)
    seen = signs(predict(trained.network, pictures, preparation, choose_device(device)))
    found = {
        sign: asdict(detection(known, seen[sign])) for sign, known in signs(known_answers).items()
    }
    answer = {"path": str(path), "n": len(images_NHW), **found}
    _keep(trained, answer)
    return answer


def _keep(trained: Trained, answer: dict[str, Any]) -> None:
    """Put `answer` beside those for other paths by the same weights."""
    file = trained.run.evaluation / FILE
    try:
        kept = read_json(file)
        of_weights = kept["checkpoint_sha256"] == trained.checkpoint_sha256
        others = [one for one in kept["asked"] if one["path"] != answer["path"]]
    except (RunError, KeyError, TypeError):
        of_weights, others = False, []
    write_text(
        file,
        to_json(
            {
                "checkpoint_sha256": trained.checkpoint_sha256,
                "asked": [*(others if of_weights else ()), answer],
            }
        ),
    )
