"""Which pictures come along: some that the network gets right, and many that it does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.predictions import Predictions

RIGHT, CLOSE, MISTAKES = "right", "close", "mistakes"
# Of each class: half at random of what is right, a quarter each of close calls and of mistakes.
SHARES = {RIGHT: 0.5, CLOSE: 0.25, MISTAKES: 0.25}


def choose(
    predictions: Predictions, count: int, seed: int = 0
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return rows of `count` pictures, the classes in turn, and of which kind each is.

    Close calls are the right answers with the smallest lead over the next class; mistakes are
    drawn at random. Where a class has too few of a kind, right ones take their place.
    """
    random = np.random.default_rng(seed)
    ordered = np.sort(predictions.log_probabilities, 1)
    lead = ordered[:, -1] - ordered[:, -2]
    right = predictions.predicted == predictions.labels
    chosen: list[list[tuple[int, str]]] = []
    classes = np.unique(predictions.labels)
    for place, label in enumerate(classes):
        wanted = count // len(classes) + (place < count % len(classes))
        of_class = np.flatnonzero(predictions.labels == label)
        wrong = random.permutation(of_class[~right[of_class]])
        fine = of_class[right[of_class]]
        close = fine[np.argsort(lead[fine], kind="stable")]
        mistakes = wrong[: round(SHARES[MISTAKES] * wanted)]
        close = close[: round(SHARES[CLOSE] * wanted)]
        rest = random.permutation(np.setdiff1d(fine, close))[: wanted - len(mistakes) - len(close)]
        kinds = [(rest, RIGHT), (close, CLOSE), (mistakes, MISTAKES)]
        chosen.append([(int(row), kind) for rows, kind in kinds for row in rows])
    # The classes in turn, so that what comes first is a bit of everything.
    longest = max(len(each) for each in chosen)
    pairs = [each[at] for at in range(longest) for each in chosen if at < len(each)]
    return np.array([row for row, _ in pairs], np.int64), tuple(kind for _, kind in pairs)


def prototypes(pictures: LabelledImages, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Return rows of `count` pictures drawn at random, as many of each class."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(pictures))
    seen = np.zeros(pictures.classes, np.int64)
    turns = np.empty(len(order), np.int64)
    for place, row in enumerate(order):
        label = pictures.labels[row]
        turns[place] = seen[label]
        seen[label] += 1
    return np.sort(order[np.argsort(turns, kind="stable")[:count]])
