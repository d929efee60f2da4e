"""Pictures with labels: the noun that the data layer hands on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import DataError

SMALLEST_SIDE, LARGEST_SIDE = 8, 224
CHANNELS = (1, 3)


class Shape(NamedTuple):
    """What a picture measures: 1 channel of grey or 3 of colour, and pixels."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{'grey' if self.channels == 1 else 'colour'}, {self.height} x {self.width}"


@dataclass(frozen=True)
class LabelledImages:
    """Pictures, grey or in colour, and their classes.

    `images_NHWC` is uint8 (n, height, width, channels), 1 channel or 3, 8 to 224 pixels a side;
    `labels` is int64 (n,), each an index into `class_names`, which differ from each other. Raises
    DataError when these are something else, or do not fit together.
    """

    images_NHWC: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_images(self.images_NHWC)
        _check_labels(self.labels, self.class_names)
        if self.labels.shape != (len(self.images_NHWC),):
            raise DataError(f"{len(self.images_NHWC)} pictures but {self.labels.size} labels")
        if self.labels.size and not 0 <= self.labels.min() <= self.labels.max() < self.classes:
            raise DataError(
                f"labels must lie in 0..{self.classes - 1}, "
                f"got {self.labels.min()}..{self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def shape(self) -> Shape:
        """What each picture measures."""
        _, height, width, channels = self.images_NHWC.shape
        return Shape(channels, height, width)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the pixels, their shape, the labels and the class names."""
        sha = hashlib.sha256(np.ascontiguousarray(self.images_NHWC).data)
        sha.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        sha.update("\0".join([*self.class_names, str(self.shape)]).encode())
        return sha.hexdigest()

    def picture_digests(self) -> list[bytes]:
        """Return the SHA-256 of each picture's pixels."""
        return [hashlib.sha256(image.tobytes()).digest() for image in self.images_NHWC]

    def take(self, indices: NDArray[np.int64]) -> LabelledImages:
        """Return the pictures at `indices`, in that order."""
        return LabelledImages(self.images_NHWC[indices], self.labels[indices], self.class_names)

    def counts(self) -> NDArray[np.int64]:
        """How many pictures each class has, (classes,)."""
        return np.bincount(self.labels, minlength=self.classes)


def _check_labels(labels: object, class_names: Any) -> None:
    if not isinstance(labels, np.ndarray) or not np.issubdtype(labels.dtype, np.integer):
        got = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
        raise DataError(f"labels must be a NumPy array of integers, got {got}")
    names = class_names if isinstance(class_names, tuple) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"class_names must be a tuple of names, got {class_names!r:.80}")
    if len({*class_names}) < len(class_names):
        raise DataError(f"class_names has a name twice: {', '.join(class_names)[:200]}")


def check_images(images_NHWC: NDArray[np.uint8]) -> None:
    """Raise DataError unless these are pictures as `LabelledImages` holds them."""
    if not isinstance(images_NHWC, np.ndarray):
        raise DataError(f"pictures must be a NumPy array, got {type(images_NHWC).__name__}")
    shape = images_NHWC.shape
    if images_NHWC.dtype != np.uint8 or len(shape) != 4 or shape[3] not in CHANNELS:
        raise DataError(
            "pictures must be uint8 with 4 axes (n, height, width, 1 or 3 channels), "
            f"got {images_NHWC.dtype} with shape {shape}"
        )
    if not SMALLEST_SIDE <= min(shape[1:3]) <= max(shape[1:3]) <= LARGEST_SIDE:
        raise DataError(
            f"pictures of {shape[1]} x {shape[2]} pixels; {SMALLEST_SIDE} to {LARGEST_SIDE} a side "
            "are allowed"
        )


def with_channels(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (n, h, w) or (n, h, w, c) with all four axes."""
    return images[..., None] if images.ndim == 3 else images


def joined(parts: Sequence[LabelledImages]) -> LabelledImages:
    """Return the pictures of several parts of one data set as one."""
    return LabelledImages(
        np.concatenate([one.images_NHWC for one in parts]),
        np.concatenate([one.labels for one in parts]),
        parts[0].class_names,
    )
