"""The validation set: a stratified part of the training pictures, or what the data set brings."""

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

    `validation_indices` are positions in the training pictures, rising; None where the data set
    brings validation pictures of its own.
    """

    train: LabelledImages
    validation: LabelledImages
    validation_indices: NDArray[np.int64] | None

    @property
    def digest(self) -> str:
        """SHA-256 of the validation set's positions, or pictures, which settles the whole split."""
        if self.validation_indices is None:
            return self.validation.digest
        return hashlib.sha256(self.validation_indices.astype("<i8").tobytes()).hexdigest()


def split(pictures: LabelledImages, *, validation_images: int, seed: int) -> Splits:
    """Set `validation_images` pictures aside, of every class in proportion to its pictures.

    The same `seed` always sets the same pictures aside. Raises DataError when that leaves no
    picture to train on; 0 is allowed.
    """
    if not 0 <= validation_images < len(pictures):
        raise DataError(
            f"data.validation_images is {validation_images}; it must be 0 to "
            f"{len(pictures) - 1}, as there are {len(pictures)} training pictures"
        )
    train_indices, validation_indices = stratified(
        pictures.labels, pictures.classes, validation_images, seed
    )
    return Splits(
        pictures.take(train_indices), pictures.take(validation_indices), validation_indices
    )


def stratified(
    labels: NDArray[np.int64], classes: int, count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of those that stay, and of `count` set aside in proportion, rising."""
    random = np.random.Generator(np.random.PCG64(seed))
    aside = [
        random.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in enumerate(_shares(np.bincount(labels, minlength=classes), count))
    ]
    chosen = np.sort(np.concatenate(aside))
    return np.setdiff1d(np.arange(len(labels)), chosen, assume_unique=True), chosen


def _shares(sizes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Share `count` out in proportion to `sizes`, by the largest remainders (Hamilton's method).

    Of each class one stays and one is set aside, where there are enough pictures for that.
    """
    most = np.maximum(sizes - 1, 0)
    if count > most.sum():
        most = sizes
    least = np.minimum(most, 1)
    if count < least.sum():
        least = np.zeros_like(sizes)
    exact = sizes * count / max(1, sizes.sum())
    shares: NDArray[np.int64] = np.clip(np.floor(exact).astype(np.int64), least, most)
    order = np.argsort(shares - exact, kind="stable")
    while (left := count - int(shares.sum())) > 0:
        shares[order[shares[order] < most[order]][:left]] += 1
    while int(shares.sum()) > count:
        shares[np.where(shares > least, shares - exact, -np.inf).argmax()] -= 1
    return shares
