"""Augmentations that redraw pictures: what each of their uniform numbers does, by itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.augmentations.base import SometimesAugmentation
from fashioncnn.data.augmentations.geometry import fitted, positions, sampled
from fashioncnn.data.augmentations.spread_sleeves import SHOULDERS

pytestmark = pytest.mark.fast

SIDE = 56
# Of `photographed_probability`: what leaves a picture as it is, in the order of its numbers.
NEUTRAL = {
    **{"turn": 0.5, "width": 0.3, "tall": 0.0, "flare": 0.5, "lean": 0.5},
    **{"centre": 0.5, "contrast": 0.7, "negate": 0.5, "texture": 1.0, "amount": 0.0, "light": 0.0},
}


def changed(key: str, images_NCHW: Tensor, uniforms: list[float]) -> Tensor:
    augmentation = AUGMENTATIONS[key]
    assert isinstance(augmentation, SometimesAugmentation)
    assert len(uniforms) == augmentation.uniforms - 1
    return augmentation.changed(images_NCHW, torch.tensor([uniforms] * len(images_NCHW)))


def photographed(
    images_NCHW: Tensor, *, edge: float = 0.5, shade: float = 0.5, **numbers: float
) -> Tensor:
    """Change neutral pictures by these numbers alone; noise is `edge` and `shade` everywhere."""
    noise = [edge] * 25 + [shade] * 25
    return changed("photographed_probability", images_NCHW, [*(NEUTRAL | numbers).values(), *noise])


def box(height: int, width: int, grey: int = 150, channels: int = 1) -> Tensor:
    images = torch.zeros(2, channels, SIDE, SIDE, dtype=torch.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    images[..., top : top + height, left : left + width] = grey
    return images


def covered(images_NCHW: Tensor) -> NDArray[np.float64]:
    """How much of each pixel of the first picture is garment, for one of one grey."""
    first = images_NCHW[0, 0].double()
    return np.asarray(first / first.max())


def widths(images_NCHW: Tensor) -> NDArray[np.float64]:
    return np.asarray(covered(images_NCHW).sum(1))


def middles(images_NCHW: Tensor) -> NDArray[np.float64]:
    shares = covered(images_NCHW)
    return np.asarray((shares * np.arange(SIDE)).sum(1) / np.maximum(shares.sum(1), 1e-9))


def test_neutral_numbers_leave_a_picture_as_it_is() -> None:
    images = box(30, 20, channels=3)
    images[:, 0][images[:, 0] > 0] = 100
    images[:, 1, :28][images[:, 1, :28] > 0] = 210
    assert torch.equal(photographed(images), images)


def test_pictures_need_not_be_square() -> None:
    images = torch.zeros(2, 1, 32, 48, dtype=torch.uint8)
    images[..., 6:26, 10:38] = 150
    assert torch.equal(photographed(images), images)


@pytest.mark.parametrize("number", [0.0, 0.6, 1.0])
def test_poses_by_their_formulas(number: float) -> None:
    plain = box(30, 20)
    wide = photographed(plain, width=number)
    assert widths(wide)[28] == pytest.approx(20 * math.exp(0.1 + 0.25 * (2 * number - 1)), abs=0.5)
    tall = covered(photographed(plain, tall=number))[:, 28].sum()
    assert tall == pytest.approx(30 * math.exp(-0.06 * number), abs=0.5)
    # Rows lie at y in -1..1: below the middle, `flare` makes them wider, `lean` shifts them.
    y = {row: (2 * row + 1) / SIDE - 1 for row in (16, 39)}
    flared = widths(photographed(plain, flare=number))
    leaning = middles(photographed(plain, lean=number))
    for row, at in y.items():
        assert flared[row] == pytest.approx(20 * (1 + 0.15 * (2 * number - 1) * at), abs=0.5)
        shift = -0.08 * (2 * number - 1) * at * SIDE / 2
        assert leaning[row] - 27.5 == pytest.approx(shift, abs=0.3)


def test_nothing_becomes_wider_than_the_picture() -> None:
    images = box(30, 50)
    # A stripe ten pixels from the middle moves with the edge: to 56 of 50 pixels, no further.
    images[..., 13:43, 37:39] = 250
    found = photographed(images, width=1.0)
    assert widths(images)[28] < widths(found)[28]
    stripe = (found[0, 0, 28] > 200).nonzero().flatten().double().mean() - 27.5
    assert float(stripe) == pytest.approx(10 * 56 / 50, abs=0.5)


@pytest.mark.parametrize(("number", "degrees"), [(0.0, -15.0), (1.0, 15.0), (0.75, 7.5)])
def test_it_turns_by_up_to_fifteen_degrees(number: float, degrees: float) -> None:
    y, x = np.mgrid[:SIDE, :SIDE] - 27.5
    shares = covered(photographed(box(40, 8), turn=number))
    # Of the longer axis, by second moments.
    angle = 0.5 * math.atan2(
        2 * (shares * x * y).sum(), (shares * y * y).sum() - (shares * x * x).sum()
    )
    assert math.degrees(angle) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize(
    ("numbers", "dark", "light"),
    [
        ({}, 130, 170),
        ({"contrast": 0.0}, 150 - 0.3 * 20, 150 + 0.3 * 20),
        ({"contrast": 1.0}, 150 - 1.3 * 20, 150 + 1.3 * 20),
        ({"negate": 0.14}, 170, 130),
        ({"negate": 0.16}, 130, 170),
        ({"centre": 1.0}, 190, 230),
        ({"centre": 0.25}, 100, 140),
        ({"centre": 0.0}, 70, 110),
        ({"light": 1.0, "shade": 1.0}, 150, 190),
        ({"light": 0.5, "shade": 0.0}, 120, 160),
    ],
)
def test_shades_by_their_formulas(numbers: dict[str, Any], dark: float, light: float) -> None:
    images = box(30, 20)
    images[:, :, :28][images[:, :, :28] > 0] = 130
    images[:, :, 28:][images[:, :, 28:] > 0] = 170
    found = photographed(images, **numbers)[0, 0]
    assert float(found[20, 28]) == pytest.approx(dark, abs=1)
    assert float(found[36, 28]) == pytest.approx(light, abs=1)


@pytest.mark.parametrize(("grey", "centre", "found"), [(30, 0.5, 60), (250, 1.0, 235)])
def test_the_mean_shade_is_kept_off_the_ends(grey: int, centre: float, found: int) -> None:
    assert int(photographed(box(30, 20, grey), centre=centre)[0, 0, 28, 28]) == found


@pytest.mark.parametrize(("texture", "kept"), [(0.0, 0.4), (0.5, 0.7), (1.0, 1.0)])
def test_texture_is_softened(texture: float, kept: float) -> None:
    images = box(30, 20)
    images[:, :, 28, 28] = 240
    found = photographed(images, texture=texture)[0, 0].double()
    near = 150 + 90 / 9
    assert float(found[28, 28]) == pytest.approx(near + kept * (240 - near), abs=1)


def test_an_outline_is_redrawn_further_in_or_out() -> None:
    plain = box(30, 20)
    for edge in (0.0, 1.0):
        assert torch.equal(photographed(plain, edge=edge), plain)
    column = slice(None), 28
    inwards = covered(photographed(plain, edge=1.0, amount=1.0))[column]
    assert 26 < inwards.sum() < 29
    # Outside, there is outline but no garment to show: nearly black.
    outwards = photographed(plain, edge=0.0, amount=1.0)[0, 0, :, 28]
    assert int((outwards > 0).sum()) == 32
    assert int((outwards > 20).sum()) == 30


def blob(**numbers: float) -> Tensor:
    """Draw one even blob."""
    shape = {"across": 0.5, "down": 0.5, "width": 0.5, "height": 0.5, "turn": 0.5, "there": 0.0}
    absent = [0.5] * 5 + [1.0]
    shades = {
        **{"ragged": 0.0, "mean": 0.5, "stripes": 0.0, "along": 0.5, "checks": 0.5},
        **{"rough": 0.0, "light": 0.0, "grain": 0.0},
    }
    given = [(shape | shades | numbers)[name] for name in (*shape, *shades)]
    uniforms = [*given[:6], *absent, *absent, *given[6:], *[1.0] * 36, *[0.5] * 36]
    return changed("drawn_probability", torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8), uniforms)


def size_of(images_NCHW: Tensor) -> tuple[int, int]:
    rows, columns = ((images_NCHW[0, 0] > 20).any(axis).nonzero() for axis in (1, 0))
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize(("width", "height"), [(0.0, 1.0), (1.0, 0.0), (0.2, 0.7), (0.5, 0.5)])
def test_a_blob_is_as_wide_and_high_as_said(width: float, height: float) -> None:
    rows, columns = size_of(blob(width=width, height=height, turn=0.9))
    ratio = (0.2 + 0.6 * width) / (0.2 + 0.6 * height)
    assert max(rows, columns) >= SIDE - 1
    assert columns / rows == pytest.approx(ratio, rel=0.12)


def test_a_blob_is_a_diamond_a_rectangle_or_between() -> None:
    # The power is by the fraction of width + 7 turns; a turn from 0.7 on turns nothing.
    filled = {
        part: float((blob(turn=(7 - 0.5 + part) / 7)[0, 0] > 20).float().mean())
        for part in (0.0, 1 / 3, 0.999)
    }
    assert filled[0.0] == pytest.approx(0.5, abs=0.08)
    assert filled[1 / 3] == pytest.approx(math.pi / 4, abs=0.05)
    assert filled[0.999] > 0.93


def test_a_blob_turns() -> None:
    upright, lying = (size_of(blob(width=0.0, height=1.0, turn=turn)) for turn in (0.5, 0.0))
    assert upright == pytest.approx(lying[::-1], abs=2)
    assert upright[0] > 3 * upright[1]


@pytest.mark.parametrize(("mean", "grey"), [(0.0, 70), (0.5, 150), (1.0, 230)])
def test_a_blob_has_its_mean_shade(mean: float, grey: int) -> None:
    assert int(blob(mean=mean)[0, 0, 28, 28]) == grey


def test_what_fills_a_blob() -> None:
    def inner(**numbers: float) -> NDArray[np.float64]:
        image = blob(turn=6.4 / 7, width=1.0, height=1.0, **numbers)[0, 0, 10:46, 10:46]
        return np.asarray(image.double())

    assert inner().std() == 0
    lit = inner(light=1.0)
    assert lit[-1, 0] - lit[0, 0] == pytest.approx(60 * 2 * 35 / SIDE * 0.8, rel=0.1)
    assert lit[0].std() < 1
    # Without noise of its own, roughness shows nothing; fine grain begins at 0.6.
    assert inner(rough=1.0).std() == 0
    assert inner(grain=0.5).std() < 1 < 5 < inner(grain=1.0).std()
    grained = inner(grain=1.0)
    assert min(grained.std(0).min(), grained.std(1).min()) > 1
    striped = inner(stripes=2 / 3, checks=0.5)
    assert striped.max() - striped.min() == pytest.approx(120, abs=6)
    # Turned by two half turns, they are upright stripes: every row is the same.
    assert striped.std(0).max() <= 1
    checked = inner(stripes=2 / 3, checks=0.2)
    assert checked.std(0).max() > 5 < checked.std(1).max()


def test_further_blobs_are_there_by_their_numbers() -> None:
    def two(there: float, third: float = 1.0) -> tuple[int, int]:
        one = [0.5, 0.1, 0.0, 0.0, 0.9, 0.9]
        other = [0.5, 0.9, 0.0, 0.0, 0.9, there]
        last = [0.9, 0.5, 0.0, 0.0, 0.9, third]
        shades = [0.0, 0.5, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0]
        black = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
        uniforms = [*one, *other, *last, *shades, *[0.5] * 72]
        rows, columns = size_of(changed("drawn_probability", black, uniforms))
        return rows, columns

    alone, beside, three = two(0.86), two(0.84), two(0.84, 0.39)
    assert alone[1] == pytest.approx(alone[0], abs=2)
    assert beside[0] > 2.5 * beside[1]
    assert three[1] > 1.5 * beside[1]
    assert two(0.84, 0.41) == beside


@pytest.mark.parametrize(
    ("turn", "seam", "ends"),
    [(0.9, "left", "right"), (0.1, None, None), (0.6, None, None)],
)
def test_halves_of_a_pair_meet_at_the_seam(turn: float, seam: str | None, ends: str | None) -> None:
    image = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    ramp = torch.linspace(60, 240, SIDE)
    image[0, 0] = ramp.round().to(torch.uint8)
    # Turn, lean, breadth, gap: neither leaning nor narrower, and the halves just touch.
    pair = changed("pair_probability", image, [turn, 0.5, 1.0, 0.5])[0, 0].double()
    covered_rows = (pair > 20).any(1)
    middle = pair[covered_rows.nonzero().flatten().median()]
    if seam:
        # Lying, as wide as two: the ramp runs outwards from the seam, on both sides.
        assert int(covered_rows.sum()) == pytest.approx(SIDE / 2, abs=1)
        assert float(middle[27]) == pytest.approx(60, abs=8)
        assert float(middle[1]) == pytest.approx(240, abs=8)
        assert float(middle[-2]) == pytest.approx(240, abs=8)
    else:
        # Upright: the ramp runs up or down, the same in every column.
        column = pair[:, 10]
        assert torch.equal(pair, pair.flip(1))
        rising = float(column[50] - column[5])
        assert abs(rising) == pytest.approx(180 * 45 / SIDE, abs=10)
        assert (rising > 0) == (turn > 0.4)


@pytest.mark.parametrize(("swing", "squeeze"), [(0.0, 0.5), (1.0, 0.1), (1.0, 1.0), (0.5, 0.5)])
def test_spread_sleeves_are_made_room_for(swing: float, squeeze: float) -> None:
    images = box(40, 40)
    # Two stripes on the body, ten pixels from the middle.
    images[..., 8:48, 17:19] = images[..., 8:48, 37:39] = 250
    found = changed("spread_sleeves_probability", images, [swing, 0.5, squeeze])
    assert torch.equal(found, found.flip(3))
    angle = math.radians(5 + 30 * swing)
    reach = 40 / SIDE + (1.2 - 0.2 * squeeze) * math.sin(angle)
    stripe = (found[0, 0, 30, 28:] > 190).nonzero().flatten().double().mean() + 0.5
    assert float(stripe) == pytest.approx(10 / max(1.0, reach / 0.93), abs=0.6)


@pytest.mark.parametrize("swing", [0.0, 1.0])
def test_sleeves_turn_about_the_shoulder(swing: float) -> None:
    images = box(SIDE, 40)
    # A stripe on both sleeves, its middle at 17 of 28 pixels from the middle.
    images[..., 10:12] = images[..., 44:46] = 250
    found = changed("spread_sleeves_probability", images, [swing, 0.5, 0.5])
    seam, angle = 0.6 * 40 / SIDE, math.radians(5 + 30 * swing)
    narrower = max(1.0, (40 / SIDE + 1.1 * math.sin(angle)) / 0.93)
    # At the shoulder's height the arm is as far out as it was, by the cosine of its turn.
    row = round((SHOULDERS + 1) / 2 * SIDE)
    stripe = (found[0, 0, row, 28:] > 190).nonzero().flatten().double().mean() + 0.5
    away = seam + (17 / 28 - seam) / math.cos(angle)
    assert float(stripe) == pytest.approx(28 * away / narrower, abs=0.8)


@pytest.mark.parametrize("breadth", [0.0, 0.4, 1.0])
def test_shoes_of_a_pair_keep_their_shape_as_far_as_said(breadth: float) -> None:
    # Upright, a column is the source's row: its ends lie at half the breadth from the middle.
    image = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    image[0, 0] = torch.linspace(60, 240, SIDE).round().to(torch.uint8)[:, None]
    pair = changed("pair_probability", image, [0.1, 0.5, breadth, 0.5])[0, 0].double()
    span = float(pair[28].max() - pair[28].min())
    assert span == pytest.approx(180 * (0.5 + 0.5 * breadth), abs=8)


def test_the_first_number_decides_which_pictures_are_changed() -> None:
    uniforms = torch.tensor([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]])
    strengths = torch.tensor([0.5, 0.5, 0.5])
    assert SometimesAugmentation.chosen(uniforms, strengths).tolist() == [True, False, False]


def test_pixels_are_those_at_a_position_and_black_outside() -> None:
    image = torch.arange(SIDE * SIDE).remainder(256).to(torch.uint8).view(1, 1, SIDE, SIDE)
    y, x = positions((SIDE, SIDE), image.device)
    assert torch.equal(sampled(image, x, y), image)
    one_further = sampled(image, x + 2 / SIDE, y)
    assert torch.equal(one_further[..., :-1], image[..., 1:])
    assert not one_further[..., -1].any()


@pytest.mark.parametrize(("top", "left"), [(2, 4), (44, 40)])
def test_what_lies_in_a_corner_is_fitted_to_the_whole_picture(top: int, left: int) -> None:
    image = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    image[..., top : top + 8, left : left + 10] = 200
    assert size_of(fitted(image)) == pytest.approx((SIDE * 8 / 10, SIDE), abs=8)


def test_an_outline_at_the_edge_of_the_picture_is_redrawn_as_one_inside() -> None:
    found = photographed(box(SIDE, SIDE), edge=1.0, amount=1.0)[0, 0]
    assert found[0, 0] == found[0, SIDE // 2] == found[SIDE // 2, SIDE // 2] > 0
