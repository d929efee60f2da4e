"""The pictures that say most about a network, for the report to show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import score

PICTURES_A_CONFUSION = 8
TELLING_PICTURES = 24


def confused_pictures(
    pictures: LabelledImages, predictions: Predictions
) -> dict[str, NDArray[Any]]:
    """Choose, of every top confusion, the pictures the network was surest about, for the report."""
    names = predictions.class_names
    probability = np.exp(predictions.log_probabilities.max(axis=1))
    chosen: list[int] = []
    for pair in score(predictions).top_confusions:
        of_pair = np.flatnonzero(
            (predictions.labels == names.index(pair.true))
            & (predictions.predicted == names.index(pair.predicted))
        )
        chosen.extend(of_pair[np.argsort(-probability[of_pair])][:PICTURES_A_CONFUSION])
    indices = np.array(chosen, np.int64)
    return {
        "images": pictures.images_NHWC[indices],
        "indices": indices,
        "labels": predictions.labels[indices],
        "predicted": predictions.predicted[indices],
        "probabilities": probability[indices],
    }


def telling_pictures(pictures: LabelledImages, predictions: Predictions) -> dict[str, NDArray[Any]]:
    """Choose the worst mistakes (kind 0) and the right answers that came closest to wrong (1).

    A mistake's other class is the true one, a right answer's the second choice.
    """
    probabilities = np.exp(predictions.log_probabilities)
    rows = np.arange(len(probabilities))
    answers, labels = predictions.predicted, predictions.labels
    second = probabilities.copy()
    second[rows, answers] = -1
    wrong = answers != labels
    others = np.where(wrong, labels, second.argmax(axis=1))
    answer_p, other_p = probabilities[rows, answers], probabilities[rows, others]
    mistakes = np.flatnonzero(wrong)
    mistakes = mistakes[np.argsort(other_p[mistakes], kind="stable")][:TELLING_PICTURES]
    right = np.flatnonzero(~wrong)
    margin = answer_p[right] - other_p[right]
    right = right[np.argsort(margin, kind="stable")][:TELLING_PICTURES]
    chosen = np.concatenate([mistakes, right])
    return {
        "images": pictures.images_NHWC[chosen],
        "indices": chosen,
        "kind": np.repeat([0, 1], [len(mistakes), len(right)]),
        "answers": answers[chosen],
        "others": others[chosen],
        "answer_probabilities": answer_p[chosen],
        "other_probabilities": other_p[chosen],
    }
