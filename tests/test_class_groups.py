"""Mistakes within and across groups of lookalikes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.evaluation.class_groups import GROUPS, group_confusion

pytestmark = pytest.mark.fast


def test_every_class_has_one_group() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(FASHION_MNIST_CLASSES)


def test_mistakes_are_counted_within_and_across() -> None:
    confusion = np.diag(np.full(10, 90))
    at = FASHION_MNIST_CLASSES.index
    confusion[at("Shirt"), at("Coat")] = 7
    confusion[at("T-shirt/top"), at("Shirt")] = 2
    confusion[at("Sneaker"), at("Sandal")] = 3
    confusion[at("Bag"), at("Dress")] = 1
    groups, wrong = group_confusion(confusion, FASHION_MNIST_CLASSES)
    assert groups == ("tops", "trousers", "footwear", "bags")
    assert wrong.tolist() == [[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 3, 0], [1, 0, 0, 0]]


def test_unknown_classes_stand_alone() -> None:
    groups, wrong = group_confusion([[5, 1, 0], [0, 5, 2], [4, 0, 5]], ("cat", "Shirt", "Coat"))
    assert groups == ("cat", "tops")
    assert wrong.tolist() == [[0, 1], [4, 2]]
