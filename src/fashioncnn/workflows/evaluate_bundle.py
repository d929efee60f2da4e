"""evaluate, of a bundle: what it scores on labelled pictures, without PyTorch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from fashioncnn.bundles.bundle import Bundle, open_bundle
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import BundleError
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.evaluation.scores import Scores, score
from fashioncnn.opening.data import Data, open_as


@dataclass(frozen=True)
class BundleScores:
    """Scores on the test pictures, their intervals by metric name, and the seconds it took."""

    scores: Scores
    intervals: dict[str, Interval]
    seconds: float


def evaluate_bundle(bundle: Bundle | Path | str, *, data: Data = None) -> BundleScores:
    """Score a bundle's network on the test pictures of `data`, else of Fashion-MNIST.

    A bundle is finished: nothing is written into it, and nothing is selected by this reading of
    test. Raises BundleError when it knows other classes or shapes.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(Path(bundle))
    opened = open_as(data, bundle.shape)
    test = _known(bundle, opened.test, opened.source.place)
    started = time.perf_counter()
    predictions = bundle.predictions(test)
    seconds = time.perf_counter() - started
    return BundleScores(score(predictions), intervals([predictions]), seconds)


def _known(bundle: Bundle, pictures: LabelledImages, place: Path) -> LabelledImages:
    if (pictures.class_names, pictures.shape) != (bundle.class_names, bundle.shape):
        raise BundleError(
            f"{bundle.path} knows pictures {bundle.shape} of {len(bundle.class_names)} classes, "
            f"not those of {place} ({pictures.shape}, {pictures.classes} classes): name others "
            "with --data"
        )
    return pictures
