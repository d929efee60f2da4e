"""Mistakes within and across groups of classes that are taken for one another, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.evaluation.class_groups import group_confusion

pytestmark = pytest.mark.fast


def test_mistakes_are_counted_within_and_across() -> None:
    confusion = np.diag(np.full(10, 90))
    at = CLASSES.index
    confusion[at("Shirt"), at("Coat")] = 27
    confusion[at("T-shirt/top"), at("Shirt")] = 12
    confusion[at("Coat"), at("Pullover")] = 9
    confusion[at("Sneaker"), at("Sandal")] = 3
    confusion[at("Bag"), at("Dress")] = 1
    groups, wrong = group_confusion(confusion, CLASSES)
    lone = ("Trouser", "Dress", "Sandal and Sneaker", "Bag", "Ankle boot")
    assert groups == ("Shirt, Coat and 2 more", *lone)
    assert wrong.diagonal().tolist() == [48, 0, 0, 3, 0, 0]
    assert wrong[groups.index("Bag"), groups.index("Dress")] == 1
    assert wrong.sum() == 52


def test_three_classes() -> None:
    groups, wrong = group_confusion([[5, 1, 0], [0, 5, 4], [0, 3, 5]], ("cat", "dog", "wolf"))
    assert groups == ("cat", "dog and wolf")
    assert wrong.tolist() == [[0, 1], [0, 7]]


def test_without_a_mistake_every_class_stands_alone() -> None:
    groups, wrong = group_confusion(np.diag([4, 4, 4]), ("cat", "dog", "wolf"))
    assert groups == ("cat", "dog", "wolf")
    assert not wrong.any()
