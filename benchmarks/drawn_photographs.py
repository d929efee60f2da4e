"""Photographs drawn by code: the data set's pictures lying on a ground, and pictures of no garment.

The width of the third picture and when an outline is uncertain were chosen with such drawings in
sight, of other random numbers.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fashioncnn.data.augmentations.geometry import GROUND
from fashioncnn.photos.convert import PICTURE_SIDE

UInt8 = NDArray[np.uint8]
Floats = NDArray[np.float32]
Random = np.random.Generator
JPEG_QUALITY = 60
LARGEST_ANGLE_DEGREES = 15.0
# The ground differs from the garment by so much lightness, of 255, as a photographer would see to.
LEAST_CONTRAST = 60
WORDS = "The quick brown fox jumps over the lazy dog while 42 zebras wait for 17 buses"


def smooth_noise(height: int, width: int, cells: int, random: Random) -> Floats:
    """Return noise (h, w) in about -1..1, of `cells` bumps along the longer side."""
    rows = max(2, round(cells * height / max(height, width)))
    columns = max(2, round(cells * width / max(height, width)))
    coarse = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def wood(height: int, width: int, random: Random) -> Floats:
    """Return planks (h, w) of about -1..1: grain along them, joints between them."""
    across = np.arange(height, dtype=np.float32)[:, None] / height
    warped = across * random.uniform(20, 60) + 2 * smooth_noise(height, width, 3, random)
    stretched = smooth_noise(height, max(2, width // 12), max(30, height // 5), random)
    grain = np.asarray(cv2.resize(stretched, (width, height)))
    planks = int(random.integers(3, 7))
    plank = np.minimum((across * planks).astype(int), planks - 1)
    shade = random.uniform(-0.4, 0.4, planks).astype(np.float32)[plank]
    joint = np.abs((across * planks) % 1 - 0.5) > 0.485
    values = 0.25 * np.sin(warped) + 0.35 * grain + shade - 0.8 * joint
    return np.asarray(values if random.random() < 0.5 else np.rot90(values, 2), np.float32)


def cloth(height: int, width: int, random: Random) -> Floats:
    """Return a bedspread (h, w) of about -1..1: weave, and soft folds."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period = random.uniform(3, 7)
    weave = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period)
    folds = smooth_noise(height, width, int(random.integers(3, 7)), random)
    grain = random.normal(0, 0.15, (height, width))
    return np.asarray(0.2 * weave + 0.6 * folds + grain, np.float32)


def tiles(height: int, width: int, random: Random) -> Floats:
    """Return tiles (h, w) of about -1..1: each of its own shade, dark or light joints."""
    y, x = np.mgrid[:height, :width]
    side = int(random.integers(max(height, width) // 7, max(height, width) // 3))
    shift_y, shift_x = random.integers(0, side, 2)
    row, column = (y + shift_y) // side, (x + shift_x) // side
    shade = random.uniform(-0.25, 0.25, (row.max() + 1, column.max() + 1))[row, column]
    line = max(2, side // 25)
    joint = ((y + shift_y) % side < line) | ((x + shift_x) % side < line)
    marble = 0.3 * smooth_noise(height, width, 12, random)
    return np.asarray(shade + marble + random.choice([-0.8, 0.8]) * joint, np.float32)


GROUNDS: dict[str, Callable[[int, int, Random], Floats]] = {
    "wood": wood,
    "cloth": cloth,
    "tiles": tiles,
}


def coloured(lightness_HW: Floats, tint: NDArray[np.float64]) -> Floats:
    """Return RGB (h, w, 3) of this lightness, 0 to 255, with Lab's a and b of `tint`."""
    lab = np.empty((*lightness_HW.shape, 3), np.float32)
    lab[..., 0] = np.clip(lightness_HW, 0, 255) * (100 / 255)
    lab[..., 1], lab[..., 2] = tint
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255, np.float32)


def photographed(picture_HW: UInt8, ground: str, random: Random) -> Image.Image:
    """Photograph a picture of Fashion-MNIST, light on black, as it would lie on `ground`.

    It is enlarged, its shades turned back (the data set negates them), tinted, turned up to 15
    degrees, laid off-centre, lit from one side with a soft shadow, and saved as JPEG.
    """
    height, width = (int(one) for one in random.integers(480, 800, 2))
    side = random.uniform(0.5, 0.75) * min(height, width)
    lightness, alpha = _laid(picture_HW, (height, width), side, random)
    typical = float(np.median(lightness[alpha > 0.5]))
    levels = [one for one in np.arange(45, 236, 5) if abs(one - typical) >= LEAST_CONTRAST]
    level = float(random.choice(levels))
    texture = GROUNDS[ground](height, width, random)
    below = level + random.uniform(12, 35) * texture
    thing = coloured(lightness, random.uniform(-25, 25, 2))
    behind = coloured(below, np.array([random.uniform(0, 12), random.uniform(0, 25)]))
    away = round(side / 40)
    shadow = cv2.GaussianBlur(np.roll(alpha, (away, away), (0, 1)), (0, 0), side / 40)
    behind = behind * (1 - 0.3 * shadow[..., None])
    mixed = behind * (1 - alpha[..., None]) + thing * alpha[..., None]
    light = 1 + 0.12 * smooth_noise(height, width, 2, random)
    mixed = mixed * light[..., None] + random.normal(0, 3, mixed.shape)
    return _saved(np.asarray(np.clip(mixed, 0, 255), np.uint8))


def _laid(
    picture_HW: UInt8, size: tuple[int, int], side: float, random: Random
) -> tuple[Floats, Floats]:
    """Return lightness and opacity (h, w) of a picture that is turned, `side` wide, somewhere."""
    height, width = size
    angle = random.uniform(-LARGEST_ANGLE_DEGREES, LARGEST_ANGLE_DEGREES)
    right, down = random.uniform(-0.3, 0.3, 2) * (np.array([width, height]) - side * 1.15)
    middle, scale = (PICTURE_SIDE - 1) / 2, side / PICTURE_SIDE
    move = np.asarray(cv2.getRotationMatrix2D((middle, middle), angle, scale), np.float64)
    move[:, 2] += np.array([width / 2 + right, height / 2 + down]) - middle
    thing = covered(picture_HW)
    shades, alpha = (
        cv2.warpAffine(one, move, (width, height), flags=cv2.INTER_CUBIC)
        for one in (without_edge(picture_HW, thing), thing.astype(np.float32))
    )
    sharp = np.clip((alpha - 0.5) * scale / 2 + 0.5, 0, 1)
    return np.asarray(255 - np.clip(shades, 0, 255)), np.asarray(sharp)


def covered(picture_HW: UInt8) -> NDArray[np.bool_]:
    """Return where the garment is: what is not black, and black of less than 3 % inside of it."""
    mask = picture_HW > GROUND
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        np.pad(~mask, 1, constant_values=True).astype(np.uint8), connectivity=4
    )
    outside = pieces[0, 0]
    small = [
        one
        for one in range(1, count)
        if one != outside and stats[one, cv2.CC_STAT_AREA] < 0.03 * mask.sum()
    ]
    return np.asarray(mask | np.isin(pieces, small)[1:-1, 1:-1], np.bool_)


def without_edge(picture_HW: UInt8, thing_HW: NDArray[np.bool_]) -> Floats:
    """Return the shades with those of the outermost pixels, half ground, as their neighbours are.

    Outside, they go on: enlarged, a garment has no fringe.
    """
    cross = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
    inner = cv2.erode(thing_HW.astype(np.uint8), cross) > 0
    known = np.where(inner.any(), inner, thing_HW)
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    shade_of = np.zeros(nearest.max() + 1, np.float32)
    shade_of[nearest[known]] = picture_HW[known]
    extended = shade_of[nearest]
    return np.asarray(np.where(thing_HW, np.maximum(extended, picture_HW), extended))


def words(count: int, random: Random) -> str:
    """Return so many words."""
    return " ".join(random.choice(WORDS.split(), count))


def text(random: Random) -> Image.Image:
    """Return a page of words."""
    height, width = (int(one) for one in random.integers(300, 800, 2))
    page = Image.new("RGB", (width, height), tuple(random.integers(200, 256, 3).tolist()))
    draw = ImageDraw.Draw(page)
    size = int(random.integers(14, 60))
    font = ImageFont.load_default(size)
    ink = tuple(random.integers(0, 110, 3).tolist())
    for top in range(20, height - size - 10, round(1.4 * size)):
        line = words(12, random)[: max(3, int((width - 40) / size * 1.8))]
        draw.text((20, top), line, ink, font)
    return page


def noise(random: Random) -> Image.Image:
    """Return noise, fine or in clouds."""
    height, width = (int(one) for one in random.integers(200, 600, 2))
    if random.random() < 0.5:
        return _saved(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
    cells = int(random.integers(3, 20))
    clouds = np.stack([smooth_noise(height, width, cells, random) for _ in range(3)], -1)
    return _saved(np.asarray(np.clip(127 + 120 * clouds, 0, 255), np.uint8))


def gradient(random: Random) -> Image.Image:
    """Return one colour going over into another, straight or round."""
    height, width = (int(one) for one in random.integers(200, 600, 2))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y / height - 0.5, x / width - 0.5
    angle = random.uniform(0, 2 * np.pi)
    straight = np.cos(angle) * x + np.sin(angle) * y + 0.5
    share = straight if random.random() < 0.5 else np.hypot(x, y) * random.uniform(1, 2)
    first, second = random.uniform(0, 255, (2, 3))
    mixed = first + (second - first) * np.clip(share, 0, 1)[..., None]
    return _saved(np.asarray(mixed, np.uint8))


def screenshot(random: Random) -> Image.Image:
    """Return a window: a bar with a title, a list of rows, boxes, a button or two."""
    width, height = int(random.integers(500, 1000)), int(random.integers(350, 800))
    dark = random.random() < 0.4
    back, ink = ((30, 32, 36), (220, 220, 225)) if dark else ((250, 250, 252), (40, 40, 46))
    accent = tuple(random.integers(30, 220, 3).tolist())
    screen = Image.new("RGB", (width, height), back)
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, 40), accent)
    draw.text(
        (14, 8),
        words(3, random),
        (255, 255, 255),
        ImageFont.load_default(20),
    )
    side = int(random.integers(0, width // 3))
    draw.rectangle((0, 41, side, height), tuple(int(0.9 * one) for one in back))
    font = ImageFont.load_default(15)
    for top in range(60, height - 60, int(random.integers(24, 60))):
        draw.text((side + 20, top), words(8, random), ink, font)
        if random.random() < 0.3:
            draw.rectangle(
                (side + 20, top, side + 20 + int(random.integers(40, 200)), top + 22), accent
            )
    return screen


OTHERS: dict[str, Callable[[Random], Image.Image]] = {
    "text": text,
    "noise": noise,
    "gradient": gradient,
    "screenshot": screenshot,
}


def _saved(rgb_HWC: UInt8) -> Image.Image:
    """Return the picture as a JPEG of it would be read."""
    file = io.BytesIO()
    Image.fromarray(rgb_HWC).save(file, "JPEG", quality=JPEG_QUALITY)
    file.seek(0)
    return Image.open(file).convert("RGB")
