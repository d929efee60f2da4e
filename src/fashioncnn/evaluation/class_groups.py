"""Classes that look alike, and the confusion within and between such groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

GROUPS: Mapping[str, tuple[str, ...]] = {
    "tops": ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"),
    "trousers": ("Trouser",),
    "footwear": ("Sandal", "Sneaker", "Ankle boot"),
    "bags": ("Bag",),
}


def group_confusion(
    confusion: ArrayLike, class_names: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the groups, and the confusion (groups, groups) as pictures of one taken for another.

    Only wrong answers count: on the diagonal are those that stay within the group. Classes that
    no group names stand alone.
    """
    owner = {name: group for group, names in GROUPS.items() for name in names}
    groups = tuple(dict.fromkeys(owner.get(name, name) for name in class_names))
    member = np.array(
        [[owner.get(name, name) == group for name in class_names] for group in groups]
    )
    wrong = np.array(confusion, np.float64)
    np.fill_diagonal(wrong, 0)
    return groups, member @ wrong @ member.T
