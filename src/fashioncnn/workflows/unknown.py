"""unknown: does a run's network notice that pictures of the user's own are nothing it knows?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fashioncnn.data.images import LabelledImages
from fashioncnn.data.unlabelled import read_pictures
from fashioncnn.evaluation.out_of_distribution import detection, signs
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.contents import Unknown, UnknownPictures
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of


@user_code()
def unknown(
    run: AnyRun | Trained, path: Path | str, *, data: Data = None, device: DeviceName = "auto"
) -> UnknownPictures:
    """Compare the pictures at `path` with the test pictures: is the network less sure of them?

    `path` is an IDX file, a picture, or a folder of pictures. The weights are those of the run's
    test scores, made first where there are none. Answers n, and by probability and by energy
    AUROC and the false positive rate at 95 %; the run keeps it for its page. Raises DataError when
    there are no pictures, RunError when the run cannot be used.
    """
    trained = open_evaluated(run, data, device)
    shape = trained.shape
    images_NHWC = read_pictures(
        Path(path), height=shape.height, width=shape.width, channels=shape.channels
    )
    none = np.zeros(len(images_NHWC), np.int64)
    pictures = LabelledImages(images_NHWC, none, trained.class_names)
    known, seen = signs(predictions_of(trained)), signs(trained.predictions(pictures))
    found = {sign: detection(known[sign], seen[sign]) for sign in known}
    answer = UnknownPictures(str(path), len(images_NHWC), found["probability"], found["energy"])
    asked = trained.kept.get(artifacts.UNKNOWN)
    others = [one for one in (asked.asked if asked else ()) if one.path != answer.path]
    trained.kept.put(artifacts.UNKNOWN, Unknown((*others, answer)))
    return answer
