"""The fixed validation set: a stratified part of the training pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import DataError


@dataclass(frozen=True)
class Splits:
    """Training and validation pictures. Test is not here: evaluation alone reads it.

    `validation_indices` are positions in the training file, rising.
    """

    train: LabelledImages
    validation: LabelledImages
    validation_indices: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """SHA-256 of the validation set's positions, which settles the whole split."""
        return hashlib.sha256(self.validation_indices.astype("<i8").tobytes()).hexdigest()


def split(pictures: LabelledImages, *, validation_images: int, seed: int) -> Splits:
    """Set `validation_images` pictures aside, equally many of every class.

    The same `seed` always sets the same pictures aside. Raises DataError when the number does not
    divide by the classes or a class has too few pictures; 0 is allowed.
    """
    per_class, rest = divmod(validation_images, pictures.classes)
    smallest = int(np.bincount(pictures.labels, minlength=pictures.classes).min())
    if rest or not 0 <= per_class < smallest:
        raise DataError(
            f"data.validation_images is {validation_images}; it must be a multiple of the "
            f"{pictures.classes} classes, at least 0 and below {smallest * pictures.classes}"
        )
    random = np.random.Generator(np.random.PCG64(seed))
    chosen = [
        random.permutation(np.flatnonzero(pictures.labels == label))[:per_class]
        for label in range(pictures.classes)
    ]
    validation_indices = np.sort(np.concatenate(chosen))
    train_indices = np.setdiff1d(np.arange(len(pictures)), validation_indices, assume_unique=True)
    return Splits(
        pictures.take(train_indices), pictures.take(validation_indices), validation_indices
    )
