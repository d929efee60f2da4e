"""Pictures that are the same, or nearly, by their pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Pair:
    """Two pictures, by position, and the root of their mean squared difference, in greys."""

    first: int
    second: int
    rms: float


def near_duplicates(
    images_NHWC: NDArray[np.uint8],
    largest_rms: float,
    watch: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Iterator[Pair]:
    """Yield all pairs with a root-mean-square difference of at most `largest_rms` greys (0 to 255).

    Each comes once, `first` below `second`. Every picture meets every other, in matrix products of
    blocks, whose beginnings go through `watch`, for progress to be shown; what may be near is then
    computed exactly in integers.
    """
    flat_NP = torch.from_numpy(images_NHWC.reshape(len(images_NHWC), -1))
    pixels = flat_NP.shape[1]
    # Centred, so that float32 loses little where the pictures are alike.
    centred_NP = flat_NP.float()
    centred_NP -= centred_NP.mean(0)
    squares_N = centred_NP.square().sum(1)
    # float32 keeps about 1e-6 of the squares: what is this close is looked at exactly.
    limit = pixels * largest_rms**2 + 1e-5 * float(squares_N.max()) if len(flat_NP) else 0.0
    for start in watch(range(0, len(flat_NP), ROWS_AT_ONCE)):
        rows = slice(start, start + ROWS_AT_ONCE)
        products = centred_NP[rows] @ centred_NP[start:].T
        distances = squares_N[rows, None] + squares_N[None, start:] - 2 * products
        near = (distances <= limit).triu(1).nonzero() + start
        yield from _exact(flat_NP, near, largest_rms)


def _exact(flat_NP: Tensor, near_M2: Tensor, largest_rms: float) -> Iterator[Pair]:
    for first, second in near_M2.tolist():
        gap = flat_NP[first].int() - flat_NP[second].int()
        rms = float(gap.square().double().mean().sqrt())
        if rms <= largest_rms:
            yield Pair(first, second, rms)
