"""Out-of-distribution detection: does the network notice pictures of nothing it knows?

Two signs of it, on three kinds of pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashioncnn.evaluation.predictions import Predictions

Images = NDArray[np.uint8]
KNOWN_KEPT_PERCENT = 95


def random_noise(images_NHWC: Images, random: np.random.Generator) -> Images:
    """Return noise, every grey equally likely, in place of the pictures."""
    return random.integers(0, 256, images_NHWC.shape, dtype=np.uint8)


def inverted(images_NHWC: Images, random: np.random.Generator) -> Images:
    """Return the pictures with black and white exchanged."""
    del random
    return 255 - images_NHWC


def scrambled(images_NHWC: Images, random: np.random.Generator) -> Images:
    """Return the pictures with their pixels in another order, one for all pictures."""
    count, height, width, channels = images_NHWC.shape
    flat = images_NHWC.reshape(count, height * width, channels)
    return flat[:, random.permutation(flat.shape[1])].reshape(images_NHWC.shape)


UNKNOWN: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    "noise": random_noise,
    "inverted": inverted,
    "scrambled": scrambled,
}


@dataclass(frozen=True)
class Detection:
    """How well a sign tells known pictures from unknown ones.

    `auroc`: the chance that a known picture has more of it than an unknown one, ties half.
    `false_positive_rate`: the share of unknown pictures taken for known by a threshold that
    keeps 95 % of the known.
    """

    auroc: float
    false_positive_rate: float


def detection(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> Detection:
    """Compare the sign of known pictures with that of unknown ones; more of it means known."""
    _, place, count = np.unique(
        np.concatenate([known, unknown]), return_inverse=True, return_counts=True
    )
    # From 1; equal values share the mean of their ranks.
    ranks = (np.cumsum(count) - (count - 1) / 2)[place[: len(known)]]
    above = ranks.sum() - len(known) * (len(known) + 1) / 2
    dropped = len(known) * (100 - KNOWN_KEPT_PERCENT) // 100
    kept = np.sort(known)[dropped]
    return Detection(float(above / (len(known) * len(unknown))), float((unknown >= kept).mean()))


def signs(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """Return the largest probability (Hendrycks and Gimpel, arXiv 1610.02136), and the energy.

    Energy is the logarithm of the summed exponentials of the logits, its sign as in known
    pictures having more (Liu et al., arXiv 2010.03759, sec. 3.1).
    """
    logits = predictions.logits.astype(np.float64)
    largest = logits.max(axis=1, keepdims=True)
    energy = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
    return {
        "probability": np.exp(predictions.log_probabilities.max(axis=1)),
        "energy": energy,
    }
