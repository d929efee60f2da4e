"""Classes that are taken for one another, and the confusion within and between such groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Of a group of more classes, the most confused are named.
NAMED = 2


def group_confusion(
    confusion: ArrayLike, class_names: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the groups, and the confusion (groups, groups) as pictures of one taken for another.

    Two classes are in one group where they are taken for one another more often than classes are on
    average, or each with a third. Only wrong answers count: on the diagonal are those that stay
    within the group.
    """
    counts = np.array(confusion, np.float64)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    groups = _groups(wrong, counts.sum(1))
    member = np.array([[index in group for index in range(len(counts))] for group in groups])
    names = tuple(_name(group, wrong, class_names) for group in groups)
    return names, member @ wrong @ member.T


def _groups(wrong: NDArray[np.float64], sizes: NDArray[np.float64]) -> list[list[int]]:
    """Return the connected classes, in the order of their first."""
    pairs = (wrong + wrong.T) / np.maximum(sizes[:, None] + sizes, 1)
    upper = pairs[np.triu_indices(len(pairs), 1)]
    linked = pairs > upper.mean()
    groups: list[list[int]] = []
    left = list(range(len(pairs)))
    while left:
        group, reached = [], [left[0]]
        while reached:
            one = reached.pop()
            if one in left:
                left.remove(one)
                group.append(one)
                reached += np.flatnonzero(linked[one]).tolist()
        groups.append(sorted(group))
    return groups


def _name(group: list[int], wrong: NDArray[np.float64], class_names: Sequence[str]) -> str:
    if len(group) <= NAMED:
        return " and ".join(class_names[index] for index in group)
    within = wrong[np.ix_(group, group)]
    order = np.argsort(-(within + within.T).sum(0), kind="stable")
    first = ", ".join(class_names[group[place]] for place in order[:NAMED])
    return f"{first} and {len(group) - NAMED} more"
