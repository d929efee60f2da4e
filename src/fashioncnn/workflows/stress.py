"""stress: from a run to how it answers worse pictures, and pictures of nothing it knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fashioncnn.console.say import timed, with_progress
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.corruptions import CORRUPTIONS, strengths_of
from fashioncnn.evaluation.out_of_distribution import UNKNOWN, detection, signs
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.contents import BySign, Corrupted, Stress
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

SEED = 20170825
S = TypeVar("S")
T = TypeVar("T")


@user_code()
def stress(run: AnyRun | Trained, *, data: Data = None, device: DeviceName = "auto") -> Stress:
    """Score the run's network on worse test pictures and see whether it notices unknown ones.

    The weights are those of the run's test scores, made first where there are none. Answers to
    worse pictures are those of `Trained.predicted_classes`. Leaves evaluation/stress.json in the
    run; weights that were stressed already are not again. Raises RunError when the run cannot be
    used, DataError without data.
    """
    return stress_trained(open_evaluated(run, data, device))


@timed("putting the network under stress")
def stress_trained(trained: Trained) -> Stress:
    """Stress an opened, evaluated network; see `stress`."""
    if (found := trained.kept.get(artifacts.STRESS)) is not None:
        return found
    plain = predictions_of(trained)
    pictures = trained.pictures("test", "stress")
    strengths = {name: strengths_of(name, pictures.shape) for name in CORRUPTIONS}
    steps: list[tuple[str, float | None]] = [
        *((name, strength) for name, several in strengths.items() for strength in several),
        *((name, None) for name in UNKNOWN),
    ]

    def changed(step: tuple[str, float | None]) -> LabelledImages:
        (name, strength), random = step, np.random.default_rng(SEED)
        if strength is None:
            images = UNKNOWN[name](pictures.images_NHWC, random)
        else:
            images = CORRUPTIONS[name][0](pictures.images_NHWC, strength, random)
        return replace(pictures, images_NHWC=np.ascontiguousarray(images))

    known, answered = signs(plain), Answered(trained, pictures, plain.predicted)
    accuracies: dict[str, list[float]] = {name: [] for name in CORRUPTIONS}
    unknown: dict[str, BySign] = {}
    made = with_progress(one_ahead(changed, steps), len(steps), "stress")
    for (name, strength), worse in zip(steps, made, strict=True):
        if strength is None:
            seen = signs(trained.predictions(worse))
            unknown[name] = BySign(
                probability=detection(known["probability"], seen["probability"]),
                energy=detection(known["energy"], seen["energy"]),
            )
        else:
            accuracies[name].append(float((answered(worse) == worse.labels).mean()))
    corruptions = {
        name: Corrupted(unit, strengths[name], tuple(accuracies[name]))
        for name, (_, unit, _) in CORRUPTIONS.items()
    }
    accuracy = float((plain.predicted == plain.labels).mean())
    found = Stress(len(pictures), accuracy, corruptions, unknown)
    return trained.kept.put(artifacts.STRESS, found)


class Answered:
    """The class that a network takes each picture for; equal pictures are asked once.

    A picture is often itself, or what it was before: without the square, or mirrored again.
    """

    def __init__(
        self, trained: Trained, pictures: LabelledImages, classes_N: NDArray[np.int64]
    ) -> None:
        self._trained = trained
        self._known = dict(zip(_keys(pictures), classes_N.tolist(), strict=True))

    def __call__(self, pictures: LabelledImages) -> NDArray[np.int64]:
        """Return the classes (n,)."""
        keys = _keys(pictures)
        new = np.array([at for at, key in enumerate(keys) if key not in self._known], np.int64)
        if len(new):
            classes = self._trained.predicted_classes(pictures.take(new)).tolist()
            self._known.update(zip((keys[at] for at in new), classes, strict=True))
        return np.array([self._known[key] for key in keys])


def _keys(pictures: LabelledImages) -> list[int]:
    return [hash(image.tobytes()) for image in pictures.images_NHWC]


def one_ahead(make: Callable[[S], T], steps: Iterable[S]) -> Iterator[T]:
    """Yield `make(step)` of each step; a thread makes the next while one is used."""
    with ThreadPoolExecutor(1) as pool:
        making: deque[Future[T]] = deque()
        for step in steps:
            making.append(pool.submit(make, step))
            if len(making) > 1:
                yield making.popleft().result()
        yield from (one.result() for one in making)
