from __future__ import annotations

import itertools

import pytest
import torch

from fashioncnn.data.augmentation import Augmentation
from fashioncnn.data.batches import Batches, in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation

EVERYTHING = Augmentation(
    {
        "horizontal_flip_probability": 0.5,
        "rotation_degrees": 15.0,
        "translation_pixels": 2.0,
        "erasing_probability": 0.5,
    },
    {6: {"rotation_degrees": 40.0}},
)


def make(pictures: LabelledImages, batch_size: int = 64, seed: int = 0) -> Batches:
    return Batches(pictures, Preparation(32, 0.5, 0.5), EVERYTHING, batch_size, seed)


def test_a_pure_function_of_seed_and_epoch(pictures: LabelledImages) -> None:
    batches = make(pictures)
    one = list(batches.epoch(3))
    list(batches.epoch(4))
    torch.rand(5)
    same = list(make(pictures).epoch(3))
    for left, right in zip(one, same, strict=True):
        assert torch.equal(left.images_NCHW, right.images_NCHW)
        assert torch.equal(left.labels, right.labels)
    for other in (batches.epoch(4), make(pictures, seed=1).epoch(3)):
        assert not torch.equal(next(iter(other)).labels, one[0].labels)


# 700 pictures: several groups are prepared; 100 divides none of them evenly.
@pytest.mark.parametrize("batch_size", [1, 64, 100, 600])
def test_beginning_in_the_middle_gives_the_same_batches(
    pictures: LabelledImages, batch_size: int
) -> None:
    pictures = pictures.take(torch.arange(600).repeat(4).numpy())
    batches = make(pictures, batch_size)
    whole = list(batches.epoch(1))
    assert len(whole) == batches.steps
    for first in {1, len(whole) // 2, len(whole) - 1}:
        rest = list(batches.epoch(1, first_step=first))
        assert len(rest) == len(whole) - first
        for left, right in zip(rest, whole[first:], strict=True):
            assert torch.equal(left.images_NCHW, right.images_NCHW)
            assert torch.equal(left.labels, right.labels)


def test_every_picture_once_an_epoch(pictures: LabelledImages) -> None:
    plain = Batches(pictures, Preparation(), Augmentation(), 64, 0)
    seen = torch.cat([batch.images_NCHW for batch in plain.epoch(0)])
    ordered = torch.cat(
        [b.images_NCHW for b in in_order(pictures, Preparation(), 100, torch.device("cpu"))]
    )
    assert sorted(seen.sum(dim=(1, 2, 3)).tolist()) == pytest.approx(
        sorted(ordered.sum(dim=(1, 2, 3)).tolist())
    )
    assert not torch.equal(seen, ordered)


def test_labels_stay_with_their_pictures(pictures: LabelledImages) -> None:
    plain = Batches(pictures, Preparation(), Augmentation(), 64, 0)
    for batch in itertools.islice(plain.epoch(0), 3):
        bars = batch.images_NCHW[:, 0, :, 14] > 0.8
        assert torch.equal(bars.float().argmax(dim=1), 2 + 2 * batch.labels)
