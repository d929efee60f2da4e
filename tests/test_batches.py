from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from conftest import make_pictures
from fashioncnn.data.augmentations.pipeline import AugmentationPipeline
from fashioncnn.data.batches import Batches, in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.data.resizing import ProgressiveResizing
from fashioncnn.data.selection import Selection

pytestmark = pytest.mark.fast

EVERYTHING = AugmentationPipeline(
    {
        "horizontal_flip_probability": 0.5,
        "rotation_degrees": 15.0,
        "translation_pixels": 2.0,
        "erasing_probability": 0.5,
    },
    {6: {"rotation_degrees": 40.0}},
)


def make(pictures: LabelledImages, batch_size: int = 64, seed: int = 0) -> Batches:
    return Batches(pictures, Preparation((32, 32), (0.5,), (0.5,)), EVERYTHING, batch_size, seed)


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
    assert len(whole) == batches.steps(1)
    for first in {1, len(whole) // 2, len(whole) - 1}:
        rest = list(batches.epoch(1, first_step=first))
        assert len(rest) == len(whole) - first
        for left, right in zip(rest, whole[first:], strict=True):
            assert torch.equal(left.images_NCHW, right.images_NCHW)
            assert torch.equal(left.labels, right.labels)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1024, 1025])
def test_no_picture_is_lost_where_one_is_left_over(count: int) -> None:
    pictures = make_pictures(1100, 0).take(np.arange(count))
    plain = Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0)
    batches = list(plain.epoch(0))
    assert len(batches) == plain.steps(0)
    assert sorted(torch.cat([batch.indices for batch in batches]).tolist()) == list(range(count))
    assert sum(len(batch.images_NCHW) for batch in batches) == count
    cpu = torch.device("cpu")
    ordered = torch.cat([one.images_NCHW for one in in_order(pictures, Preparation(), 64, cpu)])
    torch.testing.assert_close(ordered[:, 0], torch.from_numpy(pictures.images_NHWC[..., 0]) / 255)


def test_every_picture_once_an_epoch(pictures: LabelledImages) -> None:
    plain = Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0)
    seen = torch.cat([batch.images_NCHW for batch in plain.epoch(0)])
    ordered = torch.cat(
        [b.images_NCHW for b in in_order(pictures, Preparation(), 100, torch.device("cpu"))]
    )
    assert sorted(seen.sum(dim=(1, 2, 3)).tolist()) == pytest.approx(
        sorted(ordered.sum(dim=(1, 2, 3)).tolist())
    )
    assert not torch.equal(seen, ordered)


def test_labels_stay_with_their_pictures(pictures: LabelledImages) -> None:
    plain = Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0)
    for batch in itertools.islice(plain.epoch(0), 3):
        bars = batch.images_NCHW[:, 0, :, 14] > 0.8
        assert torch.equal(bars.float().argmax(dim=1), 2 + 2 * batch.labels)


def test_alternating_flip_shows_both_sides_in_two_epochs(pictures: LabelledImages) -> None:
    augmentation = AugmentationPipeline({"horizontal_flip_probability": 0.5}, alternating_flip=True)
    batches = Batches(pictures, Preparation(), augmentation, 64, seed=0)
    original = torch.from_numpy(pictures.images_NHWC[..., 0]) / 255
    flipped = []
    for number in range(4):
        seen = torch.empty_like(original)
        for batch in batches.epoch(number):
            seen[batch.indices] = batch.images_NCHW[:, 0]
        mirrored = (seen - original.flip(2)).abs().amax((1, 2)) < 1e-6
        straight = (seen - original).abs().amax((1, 2)) < 1e-6
        assert (mirrored | straight).all()
        flipped.append(mirrored & ~straight)
    both = flipped[0] | flipped[1]
    symmetric = (original == original.flip(2)).all(2).all(1)
    assert (both | symmetric).all()
    assert torch.equal(flipped[0], flipped[2])
    assert torch.equal(flipped[1], flipped[3])
    assert 0.2 < flipped[0].float().mean() < 0.8


def test_selection_keeps_the_hardest(pictures: LabelledImages) -> None:
    selection = Selection(full_epochs=2, kept_share=0.25)
    batches = Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0, selection=selection)
    losses = torch.rand(len(pictures), generator=torch.Generator().manual_seed(0))
    kept = round(len(pictures) / 4)
    assert [batches.image_count(number) for number in range(3)] == [len(pictures)] * 2 + [kept]
    assert batches.steps_before(4) == 2 * -(-len(pictures) // 64) + 2 * -(-kept // 64)
    indices = torch.cat([batch.indices for batch in batches.epoch(2, 0, losses)])
    hardest = set(sorted(range(len(pictures)), key=lambda i: -float(losses[i]))[:kept])
    assert set(indices.tolist()) == hardest
    assert len(indices) == kept
    everything = torch.cat([batch.indices for batch in batches.epoch(1, 0, losses)])
    assert sorted(everything.tolist()) == list(range(len(pictures)))


def test_without_shuffling_pictures_come_as_they_lie(pictures: LabelledImages) -> None:
    selection = Selection(full_epochs=1, kept_share=0.1)
    batches = Batches(
        pictures, Preparation(), AugmentationPipeline(), 64, 0, selection=selection, shuffle=False
    )
    losses_N = torch.rand(len(pictures), generator=torch.Generator().manual_seed(0))

    def order(epoch: int) -> list[int]:
        return torch.cat([batch.indices for batch in batches.epoch(epoch, 0, losses_N)]).tolist()

    assert order(0) == list(range(len(pictures)))
    assert order(1) == sorted(losses_N.topk(len(pictures) // 10).indices.tolist())


def test_small_pictures_come_first(pictures: LabelledImages) -> None:
    resizing = ProgressiveResizing(((14, 7), (20, 20)), (2, 3))
    batches = Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0, resizing=resizing)
    sizes = [tuple(next(batches.epoch(epoch)).images_NCHW.shape[2:]) for epoch in range(5)]
    assert sizes == [(14, 7), (14, 7), (20, 20), (28, 28), (28, 28)]
    assert sizes == [batches.image_size(epoch) for epoch in range(5)]
    # Every pixel stands for those that it took the place of.
    small = next(batches.epoch(0))
    raw_NCHW = torch.as_tensor(pictures.images_NHWC[small.indices]).permute(0, 3, 1, 2).float()
    means = functional.interpolate(raw_NCHW, (14, 7), mode="bilinear", antialias=True) / 255
    torch.testing.assert_close(small.images_NCHW, means)


def test_batches_say_which_pictures_they_hold(pictures: LabelledImages) -> None:
    for batch in Batches(pictures, Preparation(), AugmentationPipeline(), 64, 0).epoch(0):
        np.testing.assert_array_equal(batch.labels, pictures.labels[batch.indices])
        expected = pictures.images_NHWC[batch.indices, :, :, 0] / np.float32(255)
        np.testing.assert_allclose(batch.images_NCHW[:, 0], expected, atol=1e-6)


def test_preparation_is_undone() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 12, 3), np.uint8)
    images[0] = 0
    colour = Preparation((9, 12), (0.2, 0.4, 0.6), (0.1, 0.3, 0.5))
    prepared = colour(torch.from_numpy(images).movedim(3, 1))
    np.testing.assert_array_equal(colour.undo(prepared), images)
    torch.testing.assert_close(prepared[0], colour.of_grey(0.0).expand(3, 9, 12))
