"""One contract for every augmentation, and each against an independent way to do the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.augmentations.base import (
    AffineAugmentation,
    PixelAugmentation,
    SometimesAugmentation,
)
from fashioncnn.data.augmentations.erasing import RandomErasing
from fashioncnn.data.augmentations.pipeline import AugmentationPipeline
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation

pytestmark = pytest.mark.fast

CPU = torch.device("cpu")


def augment(
    augmentation: AugmentationPipeline,
    images_NCHW: Tensor,
    labels: Tensor,
    seed: int = 0,
    size: int = 28,
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    height, width = images_NCHW.shape[-2:]
    draws = augmentation.draw(labels, (height, width), generator, CPU)
    changed = draws.change_pixels(images_NCHW, slice(None))
    return Preparation((size, size))(changed, draws.affine_N23)


@pytest.fixture
def images(pictures: LabelledImages) -> Tensor:
    return torch.from_numpy(pictures.images_NHWC[:40, :, :, 0]).unsqueeze(1)


@pytest.fixture
def labels(pictures: LabelledImages) -> Tensor:
    return torch.from_numpy(pictures.labels[:40])


@pytest.mark.parametrize("key", AUGMENTATIONS)
class TestContract:
    def strong(self, key: str) -> float:
        largest = next(
            m.le for m in AUGMENTATIONS[key].strength.__metadata__[0].metadata if hasattr(m, "le")
        )
        # Of a probability, so that it happens to some of few pictures.
        return 0.9 if largest == 1 else float(min(largest / 2, 20.0))

    def test_changes_pictures_keeps_shape_and_range(
        self, key: str, images: Tensor, labels: Tensor
    ) -> None:
        before = images.clone()
        result = augment(AugmentationPipeline({key: self.strong(key)}), images, labels)
        assert result.shape == images.shape
        assert result.dtype == torch.float32
        assert 0 <= result.min() <= result.max() <= 1 + 1e-5
        assert not torch.equal(result, images / 255)
        assert torch.equal(images, before)

    def test_strength_zero_is_off(self, key: str, images: Tensor, labels: Tensor) -> None:
        off = AugmentationPipeline({key: 0.0})
        assert off.active() == []
        torch.testing.assert_close(augment(off, images, labels), images / 255)

    def test_where_chance_chooses_none_nothing_changes(self, key: str, images: Tensor) -> None:
        augmentation = AUGMENTATIONS[key]
        if isinstance(augmentation, SometimesAugmentation):
            certain = torch.ones(len(images), augmentation.uniforms)
            strengths = torch.full((len(images),), 0.5)
            assert torch.equal(augmentation.change(images, certain, strengths), images)

    def test_a_function_of_the_seed(self, key: str, images: Tensor, labels: Tensor) -> None:
        one, same, other = (
            augment(AugmentationPipeline({key: self.strong(key)}), images, labels, seed)
            for seed in (1, 1, 2)
        )
        assert torch.equal(one, same)
        assert not torch.equal(one, other)

    def test_only_the_named_class(self, key: str, images: Tensor, labels: Tensor) -> None:
        result = augment(
            AugmentationPipeline({key: 0.0}, {6: {key: self.strong(key)}}), images, labels
        )
        plain = Preparation()(images)
        others = labels != 6
        torch.testing.assert_close(result[others], plain[others], atol=1e-5, rtol=0)
        assert (result[~others] - plain[~others]).abs().amax(dim=(1, 2, 3)).gt(0.1).any()

    def test_is_of_one_kind(self, key: str, images: Tensor, labels: Tensor) -> None:
        kinds = (PixelAugmentation, AffineAugmentation)
        assert sum(isinstance(AUGMENTATIONS[key], kind) for kind in kinds) == 1


def matrices(key: str, strength: float, *uniforms: float) -> Tensor:
    uniforms_NU = torch.tensor([uniforms])
    augmentation = AUGMENTATIONS[key]
    assert isinstance(augmentation, AffineAugmentation)
    return augmentation.matrices(uniforms_NU, torch.tensor([strength]), (28, 28))[:, :2]


def change(key: str, images: Tensor, strength: float, uniforms_NU: Tensor) -> Tensor:
    strengths = torch.full((len(images),), strength)
    augmentation = AUGMENTATIONS[key]
    assert isinstance(augmentation, PixelAugmentation)
    return augmentation.change(images, uniforms_NU, strengths)


def test_flip_is_a_mirror(images: Tensor) -> None:
    uniforms = torch.linspace(0, 0.99, len(images))[:, None]
    changed = change("horizontal_flip_probability", images, 0.3, uniforms)
    flipped = uniforms[:, 0] < 0.3
    np.testing.assert_array_equal(changed[flipped], np.flip(images[flipped].numpy(), 3))
    assert torch.equal(changed[~flipped], images[~flipped])


def test_flips_come_with_their_probability(labels: Tensor) -> None:
    many = labels.repeat(500)
    draws = AugmentationPipeline({"horizontal_flip_probability": 0.3}).draw(
        many, (28, 28), torch.Generator().manual_seed(0), CPU
    )
    left_black = torch.zeros(len(many), 1, 1, 2, dtype=torch.uint8)
    left_black[..., 1] = 1
    share = draws.change_pixels(left_black, slice(None))[:, 0, 0, 0].float().mean()
    assert share == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / len(many)) ** 0.5)


def test_shift_against_numpy_at_every_distance(images: Tensor) -> None:
    places = torch.arange(25)
    uniforms = torch.stack([places // 5, places % 5], 1) / 5 + 0.1
    moved = change("shift_pixels", images[:25], 2.0, uniforms)
    for picture, original, place in zip(moved, images, places.tolist(), strict=False):
        down, right = place // 5 - 2, place % 5 - 2
        margin = np.pad(original[0].numpy(), 2)
        expected = margin[2 - down : 30 - down, 2 - right : 30 - right]
        np.testing.assert_array_equal(picture[0], expected)


@pytest.mark.parametrize("degrees", [90.0, 180.0])
def test_rotation_by_right_angles_is_exact(images: Tensor, degrees: float) -> None:
    rotated = Preparation()(images[:1], matrices("rotation_degrees", degrees, 1.0))
    turns = round(degrees / 90)
    expected = (images[:1] / 255).rot90(turns, (2, 3))
    torch.testing.assert_close(rotated, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("uniform", [0.0, 0.2, 0.9])
def test_rotation_against_scipy(images: Tensor, uniform: float) -> None:
    degrees = (2 * uniform - 1) * 25.0
    rotated = Preparation()(images[:1], matrices("rotation_degrees", 25.0, uniform))[0, 0]
    expected = ndimage.rotate(
        images[0, 0].numpy() / 255.0, degrees, reshape=False, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(rotated.numpy(), expected, atol=1e-4)


def test_translation_by_whole_pixels_is_a_shift(images: Tensor) -> None:
    # Uniforms 1 and 0 are the extremes: the output at (x, y) shows the source at (x+3, y-3).
    moved = Preparation()(images[:1], matrices("translation_pixels", 3.0, 1.0, 0.0))
    expected = torch.zeros(1, 1, 28, 28)
    expected[:, :, 3:, :-3] = images[:1, :, :-3, 3:] / 255
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)


def test_erasing_takes_a_rectangle_of_the_stated_area() -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 50, (400, 1, 28, 28), generator=random).to(torch.uint8)
    images[:, :, 0, 0] = 255  # so that the mean is no pixel's own value, or nearly none's
    images += 60 * (images > 24).to(torch.uint8)
    uniforms = torch.rand(400, 5, generator=torch.Generator().manual_seed(1))
    erased = RandomErasing().change(images.clone(), uniforms, torch.ones(400))
    changed = (erased != images)[:, 0]
    for picture, original, mask in zip(erased, images, changed, strict=True):
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.all()
        assert (picture[0][mask] == original.float().mean().round()).all()
    areas = changed.float().mean(dim=(1, 2))
    assert 0.005 < areas.min() < 0.05
    assert 0.35 < areas.max() < 0.45


def test_resizing_and_moving_are_one_sampling(images: Tensor) -> None:
    nothing = torch.eye(3)[:2].repeat(len(images), 1, 1)
    sampled = Preparation((32, 32), (0.5,), (0.5,))(images, nothing)
    resized = Preparation((32, 32), (0.5,), (0.5,))(images)
    expected = functional.interpolate(images / 255.0, (32, 32), mode="bilinear") * 2 - 1
    torch.testing.assert_close(resized, expected, atol=1e-5, rtol=0)
    # At the border, moving blends with black outside, and plain resizing repeats the border.
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(sampled[inner], expected[inner], atol=1e-4, rtol=0)


def test_rotated_and_moved_at_once(labels: Tensor) -> None:
    strengths = {"rotation_degrees": 30.0, "translation_pixels": 3.0}
    generator = torch.Generator().manual_seed(3)
    affine = AugmentationPipeline(strengths).draw(labels, (28, 28), generator, CPU).affine_N23
    assert affine is not None
    angles = torch.atan2(affine[:, 1, 0], affine[:, 0, 0]).rad2deg()
    assert 20 < angles.abs().max() <= 30
    # Coordinates go from -1 to 1 over 28 pixels; turning leaves the length of a move as it is.
    pixels = affine[:, :, 2].norm(dim=1) * 28 / 2
    assert 2 < pixels.max() <= 3 * 2**0.5 + 1e-4
    turned = affine[:, :, :2]
    torch.testing.assert_close(turned @ turned.mT, torch.eye(2).expand_as(turned))
