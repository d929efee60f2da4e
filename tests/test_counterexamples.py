"""Pictures of no class: what they are made of, what a network is taught of them, what it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import fashioncnn as fc
from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.augmentations.base import NO_CLASS, Counterexample
from fashioncnn.data.augmentations.pipeline import AugmentationPipeline
from fashioncnn.data.batches import Batches
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.training.known_losses import KnownLosses
from fashioncnn.training.losses.outlier_exposure import OutlierExposure

COUNTEREXAMPLES = [key for key, one in AUGMENTATIONS.items() if isinstance(one, Counterexample)]


def changed(key: str, images: Tensor, *uniforms: float) -> Tensor:
    augmentation = AUGMENTATIONS[key]
    assert isinstance(augmentation, Counterexample)
    wanted = torch.tensor([uniforms] * len(images))
    if not uniforms:
        random = torch.Generator().manual_seed(0)
        wanted = torch.rand(len(images), augmentation.uniforms - 1, generator=random)
    return augmentation.changed(images, wanted)


@pytest.fixture
def garment() -> Tensor:
    """A garment of 10 x 20 pixels: its upper half grey 100, its lower half 200; one of two."""
    images = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    images[0, :, 4:14, 9:19], images[0, :, 14:24, 9:19] = 100, 200
    images[1, :, 2:26, 3:25] = 150
    return images


@pytest.mark.fast
@pytest.mark.parametrize("key", COUNTEREXAMPLES)
def test_labels_become_no_class_with_the_pictures(key: str, pictures: LabelledImages) -> None:
    pipeline = AugmentationPipeline(by_class={3: {key: 0.5}})
    batches = Batches(pictures, Preparation(), pipeline, 64, seed=0)
    labels, indices, images = (
        torch.cat(parts)
        for parts in zip(
            *((one.labels, one.indices, one.images_NCHW) for one in batches.epoch(0)), strict=True
        )
    )
    own = torch.as_tensor(pictures.labels)[indices]
    as_they_were = Preparation()(torch.as_tensor(pictures.images_NHWC).movedim(3, 1))[indices]
    same = (images - as_they_were).abs().amax((1, 2, 3)) < 1e-6
    assert torch.equal(labels[own != 3], own[own != 3])
    assert torch.equal(labels[same], own[same])
    assert (labels[~same] == NO_CLASS).all()
    share = (labels[own == 3] == NO_CLASS).float().mean()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / 60**0.5)


@pytest.mark.fast
def test_an_upper_part_is_fitted_to_the_picture(garment: Tensor) -> None:
    upper = changed("upper_part_probability", garment, 0.6)[:1]
    lower = changed("lower_part_probability", garment, 0.6)[:1]
    # Half of 20 rows of 10 columns: a square, which fills the picture.
    for part, grey in ((upper, 100), (lower, 200)):
        inner = part[0, 0, 1:-1, 1:-1]
        assert (inner == grey).all()


@pytest.mark.fast
def test_shuffled_halves_against_numpy(garment: Tensor) -> None:
    up_and_down = changed("shuffled_probability", garment, 0.9)[0, 0].numpy()
    both = changed("shuffled_probability", garment, 0.1)[0, 0].numpy()
    original = garment[0, 0].numpy()
    np.testing.assert_array_equal(up_and_down, np.concatenate([original[14:], original[:14]]))
    np.testing.assert_array_equal(
        both, np.concatenate([up_and_down[:, 14:], up_and_down[:, :14]], axis=1)
    )


@pytest.mark.fast
def test_a_pair_is_two_mirror_images(pictures: LabelledImages) -> None:
    images = torch.as_tensor(pictures.images_NHWC[:40]).movedim(3, 1)
    pairs = changed("pair_probability", images).int()
    difference = (pairs - pairs.flip(3)).abs().amax((1, 2, 3))
    assert difference.max() <= 1


@pytest.mark.fast
def test_a_drawing_has_nothing_of_the_picture(garment: Tensor) -> None:
    drawings = [changed("drawn_probability", one.repeat(64, 1, 1, 1)) for one in garment]
    assert torch.equal(*drawings)
    covered = (drawings[0] > 12).float().mean((1, 2, 3))
    assert covered.min() > 0.05
    assert covered.std() > 0.1


@pytest.mark.fast
@pytest.mark.parametrize("members", [(), (3,)])
def test_the_loss_against_pytorch_with_targets_as_shares(members: tuple[int, ...]) -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(32, 10, *members, generator=random, requires_grad=True)
    labels = torch.randint(0, 10, (32, *members), generator=random)
    labels[::4] = NO_CLASS
    shares = torch.full((32, 10, *members), 0.1)
    known = labels != NO_CLASS
    own = functional.one_hot(labels.clamp(min=0), 10).float().movedim(-1, 1)
    shares = torch.where(known.unsqueeze(1), 0.8 * own + 0.02, shares)
    expected = functional.cross_entropy(logits, shares)
    found = OutlierExposure(nn.CrossEntropyLoss(label_smoothing=0.2))(logits, labels)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(one, logits)[0] for one in (found, expected)]
    torch.testing.assert_close(*gradients)


@pytest.mark.fast
def test_the_loss_of_a_batch_without_any_class_is_finite() -> None:
    loss = OutlierExposure(nn.CrossEntropyLoss())
    found = loss(torch.zeros(4, 10), torch.full((4,), NO_CLASS))
    assert float(found) == pytest.approx(np.log(10))


@pytest.mark.fast
def test_what_is_known_of_a_picture_outlives_its_counterexample() -> None:
    losses = KnownLosses(3, torch.device("cpu"))
    indices, logits = torch.arange(3), torch.zeros(3, 10)
    losses.note(indices, logits, torch.tensor([0, 1, NO_CLASS]))
    assert losses.latest_N.tolist() == pytest.approx([np.log(10), np.log(10), np.inf])
    losses.note(indices, torch.eye(3, 10) * 50, torch.tensor([0, NO_CLASS, 2]))
    assert losses.latest_N.tolist() == pytest.approx([0, np.log(10), 0], abs=1e-6)


def test_a_network_taught_has_less_of_an_opinion(
    tiny_npz: Path, tiny_recipe: Path, tmp_path: Path, pictures: LabelledImages
) -> None:
    changes = ["training.epochs=8", "augmentation.rotation_degrees=0"]
    images = torch.as_tensor(pictures.images_NHWC[:200]).movedim(3, 1)
    unknown = changed("shuffled_probability", images, 0.9).movedim(1, 3).numpy()
    largest = []
    for probability in (0, 0.3):
        taught = [*changes, f"augmentation.shuffled_probability={probability}"]
        run = fc.train(tiny_recipe, changes=taught, data=tiny_npz, out=tmp_path)
        asked = fc.load(run)
        assert (
            np.mean(
                asked.predict(pictures.images_NHWC[:200]).probabilities.argmax(1)
                == pictures.labels[:200]
            )
            > 0.9
        )
        largest.append(asked.predict(unknown).probabilities.max(1).mean())
        # Of the pictures with a class alone.
        assert run.metrics[-1]["train/accuracy"] > 0.7
    assert largest[1] < largest[0] - 0.2
