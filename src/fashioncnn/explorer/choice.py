"""Which pictures come along: some that the network gets right, and many that it does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.predictions import Predictions

RIGHT, CLOSE, MISTAKES = "right", "close", "mistakes"
# In turn: half of them right, a quarter close calls, a quarter mistakes.
TURNS = (RIGHT, CLOSE, RIGHT, MISTAKES)


def choose(
    predictions: Predictions, count: int, seed: int = 0
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return rows of `count` pictures, the classes in turn, and of which kind each is.

    Close calls are the right answers with the smallest lead over the next class; right ones and
    mistakes are drawn at random. Where a class has too few of a kind, another kind takes its place,
    and where a class has too few pictures, the other classes have more.
    """
    random = np.random.default_rng(seed)
    ordered = np.sort(predictions.log_probabilities, 1)
    lead = ordered[:, -1] - ordered[:, -2]
    right = predictions.predicted == predictions.labels
    piles: list[dict[str, list[int]]] = []
    for label in np.unique(predictions.labels):
        of_class = np.flatnonzero(predictions.labels == label)
        fine = of_class[right[of_class]]
        close = fine[np.argsort(lead[fine], kind="stable")][: len(fine) // 2]
        rest = np.setdiff1d(fine, close)
        piles.append(
            {
                RIGHT: random.permutation(rest).tolist(),
                CLOSE: close.tolist(),
                MISTAKES: random.permutation(of_class[~right[of_class]]).tolist(),
            }
        )
    chosen: list[tuple[int, str]] = []
    turn = 0
    while len(chosen) < min(count, len(predictions.labels)):
        for place, pile in enumerate(piles):
            # Each class begins at another kind, so that few of each still have all kinds.
            wanted = TURNS[(turn + place) % len(TURNS)]
            kind = next((one for one in (wanted, RIGHT, CLOSE, MISTAKES) if pile[one]), None)
            if kind is not None and len(chosen) < count:
                chosen.append((pile[kind].pop(0), kind))
        turn += 1
    return np.array([row for row, _ in chosen], np.int64), tuple(kind for _, kind in chosen)


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
