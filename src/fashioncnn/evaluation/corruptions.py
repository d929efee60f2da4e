"""Pictures made worse in seven ways, each at five severities.

After Hendrycks and Dietterich, arXiv 1903.12261, sec. 3, with strengths for 28 pixels a side:
those in pixels grow with the picture.
Every change is drawn from a seed, so that all networks see the same worse pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fashioncnn.data.images import Shape

Images = NDArray[np.uint8]
Corrupt = Callable[[Images, float, np.random.Generator], Images]


def noise(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Add Gaussian noise with a standard deviation of `strength`, of white."""
    noisy = images_NHWC + random.normal(0, 255 * strength, images_NHWC.shape)
    return _as_pixels(noisy)


def blur(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Blur with a Gaussian whose standard deviation is `strength` pixels."""
    del random
    return _as_pixels(
        ndimage.gaussian_filter(images_NHWC.astype(np.float32), (0, strength, strength, 0))
    )


def shift(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Shift by `strength` pixels in one of eight directions; what enters is black."""
    directions = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    margin = round(strength)
    height, width = images_NHWC.shape[1:3]
    padded = np.pad(images_NHWC, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    shifted = np.empty_like(images_NHWC)
    chosen = random.integers(0, len(directions), len(images_NHWC))
    for index, (y, x) in enumerate(directions):
        top, left = margin * (1 + y), margin * (1 + x)
        mine = chosen == index
        shifted[mine] = padded[mine, top : top + height, left : left + width]
    return shifted


def rotation(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Rotate by `strength` degrees, to the left or to the right; corners are black."""
    turned = np.empty_like(images_NHWC)
    to_left = random.random(len(images_NHWC)) < 0.5
    for mine, degrees in ((to_left, strength), (~to_left, -strength)):
        turned[mine] = _as_pixels(
            ndimage.rotate(
                images_NHWC[mine].astype(np.float32), degrees, (1, 2), reshape=False, order=1
            )
        )
    return turned


def contrast(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Take `strength` of the contrast away, around each picture's mean."""
    del random
    mean = images_NHWC.mean(axis=(1, 2), keepdims=True)
    return _as_pixels(mean + (images_NHWC - mean) * (1 - strength))


def occlusion(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Blacken a square of `strength` pixels a side, somewhere in the picture."""
    side, (height, width) = round(strength), images_NHWC.shape[1:3]
    top = random.integers(0, height - side + 1, len(images_NHWC))[:, None]
    left = random.integers(0, width - side + 1, len(images_NHWC))[:, None]
    rows = (np.arange(height) >= top) & (np.arange(height) < top + side)
    columns = (np.arange(width) >= left) & (np.arange(width) < left + side)
    inside = rows[:, :, None] & columns[:, None, :]
    return np.where(inside[..., None], 0, images_NHWC).astype(np.uint8)


def upside_down(images_NHWC: Images, strength: float, random: np.random.Generator) -> Images:
    """Turn a share of `strength` of the pictures upside down, as in a mirror on the floor."""
    mirrored = random.random(len(images_NHWC)) < strength
    turned = images_NHWC.copy()
    turned[mirrored] = images_NHWC[mirrored, ::-1]
    return turned


def strengths_of(name: str, shape: Shape) -> tuple[float, ...]:
    """Return the strengths of a corruption; those in pixels grow with the picture."""
    _, unit, strengths = CORRUPTIONS[name]
    scale = min(shape.height, shape.width) / 28 if unit.startswith("pixels") else 1.0
    return tuple(round(strength * scale, 2) for strength in strengths)


def _as_pixels(values: NDArray[np.floating]) -> Images:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


CORRUPTIONS: dict[str, tuple[Corrupt, str, tuple[float, float, float, float, float]]] = {
    "noise": (noise, "standard deviation, of white", (0.04, 0.08, 0.16, 0.24, 0.32)),
    "blur": (blur, "pixels", (0.4, 0.7, 1.0, 1.5, 2.0)),
    "shift": (shift, "pixels", (1, 2, 3, 4, 6)),
    "rotation": (rotation, "degrees", (5, 10, 20, 30, 45)),
    "contrast": (contrast, "share taken away", (0.2, 0.4, 0.6, 0.75, 0.9)),
    "occlusion": (occlusion, "pixels a side", (4, 6, 8, 11, 14)),
    "flip": (upside_down, "share of the pictures upside down", (0.2, 0.4, 0.6, 0.8, 1.0)),
}
