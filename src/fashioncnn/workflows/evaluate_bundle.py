"""evaluate, of a bundle: what it scores on labelled pictures, without PyTorch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from fashioncnn.bundles.bundle import Bundle, open_bundle
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.fashion_mnist import NAME as FASHION_MNIST
from fashioncnn.errors import BundleError
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.evaluation.scores import Scores, score
from fashioncnn.opening.data import Data, open_data


@dataclass(frozen=True)
class BundleScores:
    """Scores on the test pictures, their intervals by metric name, and the seconds it took."""

    scores: Scores
    intervals: dict[str, Interval]
    seconds: float


def evaluate_bundle(bundle: Bundle | Path | str, *, data: Data = None) -> BundleScores:
    """Score a bundle's network on the test pictures of `data`, or of Fashion-MNIST.

    A bundle is finished: nothing is written into it, and nothing is selected by this reading of
    test. Raises BundleError when it knows other classes or shapes.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(Path(bundle))
    if data is None and bundle.facts.trained_on.name != FASHION_MNIST:
        raise BundleError(
            f"{bundle.path} was trained on {bundle.facts.trained_on.name}: name its pictures "
            "with --data"
        )
    test = _known(bundle, open_data(data, (bundle.shape.height, bundle.shape.width)).test)
    started = time.perf_counter()
    predictions = bundle.predictions(test)
    seconds = time.perf_counter() - started
    return BundleScores(score(predictions), intervals([predictions]), seconds)


def _known(bundle: Bundle, pictures: LabelledImages) -> LabelledImages:
    if (pictures.class_names, pictures.shape) != (bundle.class_names, bundle.shape):
        raise BundleError(
            f"{bundle.path} knows pictures {bundle.shape} of {len(bundle.class_names)} classes, "
            f"not those that were named ({pictures.shape}, {pictures.classes} classes)"
        )
    return pictures
