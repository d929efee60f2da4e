"""Pictures with labels: the noun that the data layer hands on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import DataError

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class LabelledImages:
    """Grey pictures and their classes.

    `images_NHW` is uint8 (n, height, width); `labels` is int64 (n,), each an index into
    `class_names`. Raises DataError when these do not fit together.
    """

    images_NHW: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = FASHION_MNIST_CLASSES

    def __post_init__(self) -> None:
        if self.images_NHW.ndim != 3 or self.images_NHW.dtype != np.uint8:
            raise DataError(
                f"pictures must be uint8 with 3 axes (n, height, width), "
                f"got {self.images_NHW.dtype} with shape {self.images_NHW.shape}"
            )
        if self.labels.shape != (len(self.images_NHW),):
            raise DataError(f"{len(self.images_NHW)} pictures but {self.labels.size} labels")
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

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the pixels, the labels and the class names."""
        sha = hashlib.sha256(np.ascontiguousarray(self.images_NHW).data)
        sha.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        sha.update("\0".join(self.class_names).encode())
        return sha.hexdigest()

    def take(self, indices: NDArray[np.int64]) -> LabelledImages:
        """Return the pictures at `indices`, in that order."""
        return LabelledImages(self.images_NHW[indices], self.labels[indices], self.class_names)
