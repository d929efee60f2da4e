"""What an answer rests on, found by covering parts of the picture; no gradients are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of the longer side: a patch, and how far the next one lies from it.
PATCH_SHARE, STRIDE_SHARE = 1 / 7, 1 / 14


def occlusion(
    log_probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float64]],
    images_NHWC: NDArray[np.uint8],
    answers_N: NDArray[np.int64],
) -> NDArray[Any]:
    """Return how much each pixel spoke for the answer, (n, h, w): positive where covering it hurt.

    Square patches are covered with black, and the log-probability of the answer falls by so much;
    a pixel has the mean over the patches that cover it (Zeiler and Fergus, arXiv 1311.2901,
    sec. 4.2).
    """
    _, height, width, _ = images_NHWC.shape
    patches = list(_patches(height, width))
    covers = np.zeros((height, width))
    for rows, columns in patches:
        covers[rows, columns] += 1
    found = np.zeros((len(images_NHWC), height, width))
    for place, (image, answer) in enumerate(zip(images_NHWC, answers_N, strict=True)):
        covered = np.repeat(image[None], len(patches) + 1, axis=0)
        for number, (rows, columns) in enumerate(patches):
            covered[number, rows, columns] = 0
        values = log_probabilities(covered)[:, answer]
        for (rows, columns), value in zip(patches, values[:-1], strict=True):
            found[place, rows, columns] += values[-1] - value
    return found / covers


def _patches(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    side = max(2, round(max(height, width) * PATCH_SHARE))
    stride = max(1, round(max(height, width) * STRIDE_SHARE))
    for top in (*range(0, height - side, stride), height - side):
        for left in (*range(0, width - side, stride), width - side):
            yield slice(top, top + side), slice(left, left + side)
