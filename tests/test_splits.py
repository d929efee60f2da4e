from __future__ import annotations

import numpy as np
import pytest

from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.places import Place
from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.data.splits import split, stratified
from fashioncnn.errors import DataError
from fashioncnn.recipes.load import load

pytestmark = pytest.mark.fast


def test_stratified_disjoint_and_complete(pictures: LabelledImages) -> None:
    splits = split(pictures, validation_images=100, seed=3)
    assert np.bincount(splits.validation.labels).tolist() == [10] * 10
    assert len(splits.train) + len(splits.validation) == len(pictures)
    assert splits.validation_indices is not None
    kept = np.setdiff1d(np.arange(len(pictures)), splits.validation_indices)
    np.testing.assert_array_equal(splits.train.images_NHWC, pictures.images_NHWC[kept])


def test_a_function_of_the_seed(pictures: LabelledImages) -> None:
    digests = [split(pictures, validation_images=100, seed=seed).digest for seed in (3, 3, 4)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("validation_images", [-10, 600, 10_000])
def test_impossible_numbers_are_refused(pictures: LabelledImages, validation_images: int) -> None:
    with pytest.raises(DataError, match=rf"validation_images is {validation_images}; it must"):
        split(pictures, validation_images=validation_images, seed=0)


def test_classes_are_set_aside_in_proportion(pictures: LabelledImages) -> None:
    """One class five times as large as the others, and one without a picture."""
    of_class = [
        np.flatnonzero(pictures.labels == label)[: 60 if label == 3 else 12] for label in range(9)
    ]
    uneven = pictures.take(np.concatenate(of_class))
    splits = split(uneven, validation_images=26, seed=0)
    assert np.bincount(splits.validation.labels, minlength=10).tolist() == [
        2,
        2,
        2,
        10,
        2,
        2,
        2,
        2,
        2,
        0,
    ]
    for count in range(40):
        counts = split(uneven, validation_images=count, seed=0).validation.counts()
        assert counts.sum() == count
        exact = uneven.counts() * count / len(uneven)
        # Of each class at least one, where that many are set aside.
        assert abs(counts - exact).max() < (1 if exact[0] >= 1 or count < 9 else 3)
        assert count < 9 or counts[:9].min() >= 1


def test_a_split_for_test_that_is_made_has_every_class() -> None:
    """Twenty classes of three pictures, of which a seventh are nine, and one of a single one."""
    labels = np.append(np.repeat(np.arange(20), 3), 20)
    images = np.zeros((61, 8, 8, 1), np.uint8)
    names = tuple(map(str, range(21)))
    data = DataSet.of(LabelledImages(images, labels, names))
    assert data.test.counts().tolist() == [1] * 20 + [0]
    assert data.train.counts().tolist() == [2] * 20 + [1]
    assert any("20 are set aside of 61" in one for one in data.remarks())


def test_of_each_class_one_stays_to_train_on() -> None:
    for sizes, count in (([1] * 20 + [2], 1), ([1, 30], 4), ([3] * 10, 20), ([5, 1, 9], 12)):
        labels = np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)
        stays, aside = stratified(labels, len(sizes), count, seed=0)
        assert len(aside) == count
        assert np.bincount(labels[stays], minlength=len(sizes)).min() >= 1
    # Where there are not enough for that, the number counts.
    assert len(stratified(np.arange(4), 4, 3, seed=0)[1]) == 3


def test_none_set_aside_leaves_everything_to_train_on(pictures: LabelledImages) -> None:
    splits = split(pictures, validation_images=0, seed=0)
    assert splits.train.digest == pictures.digest
    assert len(splits.validation) == 0


@pytest.mark.real_data
def test_the_split_of_the_built_in_recipes_never_changes(real_source: Place) -> None:
    told = load("two-conv").data
    train = DataSet(real_source.folder).train
    splits = split(train, validation_images=told.validation_images, seed=told.split_seed)
    assert splits.digest == "be35d82a1a9398c8d96c3abd3226575643d766bc748c715dc190ba4dae5c1524"


def test_labels_must_fit_the_classes() -> None:
    with pytest.raises(DataError, match=r"labels must lie in 0\.\.9, got 0\.\.10"):
        LabelledImages(np.zeros((2, 28, 28, 1), np.uint8), np.array([0, 10]), CLASSES)
