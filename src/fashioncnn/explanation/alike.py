"""Pictures that a network finds alike, though something else tells them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class AlikePair:
    """Two pictures, by position, and the cosine of the angle between their features."""

    first: int
    second: int
    cosine: float


def most_alike(
    features_NF: NDArray[np.float32], kinds_N: NDArray[np.int64], count: int
) -> list[AlikePair]:
    """Return the `count` most alike pairs of pictures of different `kinds_N`, the first first.

    Each picture is met with the one of another kind that is nearest to it by its features; a pair
    comes once, `first` below `second`.
    """
    directions_NF = functional.normalize(torch.from_numpy(features_NF), dim=1)
    kinds = torch.from_numpy(kinds_N)
    cosines, nearest = [], []
    for start in range(0, len(kinds), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        products = directions_NF[rows] @ directions_NF.T
        products[kinds[rows, None] == kinds[None]] = -2.0
        largest, where = products.max(1)
        cosines.append(largest)
        nearest.append(where)
    cosine_N, nearest_N = torch.cat(cosines).numpy(), torch.cat(nearest).numpy()
    found: dict[tuple[int, int], AlikePair] = {}
    for at in np.argsort(-cosine_N, kind="stable"):
        if len(found) == count or cosine_N[at] < -1.5:
            break
        first, second = sorted((int(at), int(nearest_N[at])))
        found.setdefault((first, second), AlikePair(first, second, min(1.0, float(cosine_N[at]))))
    return list(found.values())
