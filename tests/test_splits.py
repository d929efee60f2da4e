from __future__ import annotations

import numpy as np
import pytest

from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources import Source, load
from fashioncnn.data.splits import split
from fashioncnn.errors import DataError

pytestmark = pytest.mark.fast


def test_stratified_disjoint_and_complete(pictures: LabelledImages) -> None:
    splits = split(pictures, validation_images=100, seed=3)
    assert np.bincount(splits.validation.labels).tolist() == [10] * 10
    assert len(splits.train) + len(splits.validation) == len(pictures)
    kept = np.setdiff1d(np.arange(len(pictures)), splits.validation_indices)
    np.testing.assert_array_equal(splits.train.images_NHW, pictures.images_NHW[kept])


def test_a_function_of_the_seed(pictures: LabelledImages) -> None:
    digests = [split(pictures, validation_images=100, seed=seed).digest for seed in (3, 3, 4)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("validation_images", [-10, 55, 600, 10_000])
def test_impossible_numbers_are_refused(pictures: LabelledImages, validation_images: int) -> None:
    with pytest.raises(DataError, match=rf"validation_images is {validation_images}; it must"):
        split(pictures, validation_images=validation_images, seed=0)


def test_a_class_without_pictures_leaves_none_to_set_aside(pictures: LabelledImages) -> None:
    all_but_the_last = pictures.take(np.flatnonzero(pictures.labels < 9))
    with pytest.raises(DataError, match="at least 0 and below 0"):
        split(all_but_the_last, validation_images=10, seed=0)


def test_none_set_aside_leaves_everything_to_train_on(pictures: LabelledImages) -> None:
    splits = split(pictures, validation_images=0, seed=0)
    assert splits.train.digest == pictures.digest
    assert len(splits.validation) == 0


@pytest.mark.real_data
def test_the_split_of_the_built_in_recipes_never_changes(real_source: Source) -> None:
    splits = split(load(real_source, "train"), validation_images=5000, seed=20170825)
    assert splits.digest == "be35d82a1a9398c8d96c3abd3226575643d766bc748c715dc190ba4dae5c1524"


def test_labels_must_fit_the_classes() -> None:
    with pytest.raises(DataError, match=r"labels must lie in 0\.\.9, got 0\.\.10"):
        LabelledImages(np.zeros((2, 28, 28), np.uint8), np.array([0, 10]))
