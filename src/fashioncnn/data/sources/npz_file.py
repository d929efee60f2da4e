"""One .npz file with train_images, train_labels, … as MedMNIST ships them, or Keras."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashioncnn import npz
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.base import (
    Part,
    Size,
    Source,
    checked,
    checked_names,
    count_classes,
    filled,
    numbered,
)
from fashioncnn.errors import DataError

MAX_BYTES = 4 << 30
CLASS_NAMES = "class_names"
# What the arrays of a split are called: ours and MedMNIST's, then Keras's.
ARRAYS: dict[Part, tuple[tuple[str, str], ...]] = {
    "train": (("train_images", "train_labels"), ("x_train", "y_train")),
    "validation": (("val_images", "val_labels"), ("x_val", "y_val")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
}


class NpzFile(Source):
    """Images uint8 (n, h, w) or (n, h, w, 3); labels whole numbers (n,) or (n, 1)."""

    kind = "npz"
    looks_like = "an .npz file with train_images and train_labels"

    def __init__(self, path: Path) -> None:
        self.place, self.name = path, path.stem
        every = {name for pairs in ARRAYS.values() for pair in pairs for name in pair}
        wanted = {CLASS_NAMES, *(one for one in every if _of_labels(one))}
        labels = npz.read(path, MAX_BYTES, DataError, wanted)
        names = labels.get(CLASS_NAMES)
        self._names: dict[Part, str] = {}
        self._labels: dict[Part, NDArray[np.integer]] = {}
        for part, pairs in ARRAYS.items():
            for images_name, labels_name in pairs:
                if labels_name in labels:
                    self._names[part] = images_name
                    self._labels[part] = _flat(labels[labels_name], path, labels_name)
        if "train" not in self._labels:
            raise DataError(f"{path}: without train_labels")
        self._labels, without_pictures = filled(self._labels, path)
        known = {*self._names.values(), *wanted}
        self.left_out = [
            *without_pictures,
            *(
                f"{path}: {name}, "
                + ("which has no labels" if name in every else "an unknown array")
                for name in sorted(npz.names_in(path, MAX_BYTES, DataError) - known)
            ),
        ]
        self.parts = tuple(self._labels)
        if names is not None:
            self.class_names = checked_names(_as_text(names, path), path)
        else:
            self.class_names = numbered(count_classes(list(self._labels.values()), path))

    @classmethod
    def open(cls, place: Path, size: Size | None) -> NpzFile | None:
        """Open a file that ends in .npz."""
        del size
        return cls(place) if place.suffix.lower() == ".npz" and place.is_file() else None

    def read(self, part: Part) -> LabelledImages:
        """Read the images of one split."""
        name = self._names[part]
        images = npz.read(self.place, MAX_BYTES, DataError, {name}).get(name)
        if images is None:
            raise DataError(f"{self.place}: without {name}")
        if images.dtype != np.uint8 or images.ndim not in (3, 4):
            raise DataError(
                f"{self.place}: {name} is {images.dtype} {images.shape}; it must be uint8 "
                "(n, h, w) or (n, h, w, 3)"
            )
        return checked(images, self._labels[part], self.class_names, self.place)


def write_npz(path: Path, parts: dict[Part, LabelledImages]) -> None:
    """Write splits as one such file; grey pictures as (n, h, w)."""
    arrays: dict[str, NDArray[np.generic]] = {
        CLASS_NAMES: np.array(next(iter(parts.values())).class_names)
    }
    for part, pictures in parts.items():
        images_name, labels_name = ARRAYS[part][0]
        images = pictures.images_NHWC
        arrays[images_name] = images[..., 0] if pictures.shape.channels == 1 else images
        arrays[labels_name] = pictures.labels
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        os.fsync(file.fileno())


def _of_labels(name: str) -> bool:
    return name.endswith("_labels") or name.startswith("y_")


def _as_text(names: NDArray[np.generic], path: Path) -> list[str]:
    """Return the names in an array of text, bytes (as C and Matlab write them), whole numbers."""
    if names.size not in names.shape or names.dtype.kind not in "USiu":
        raise DataError(
            f"{path}: {CLASS_NAMES} is {names.dtype} {names.shape}; it must be text (n,)"
        )
    try:
        return [
            one.decode() if isinstance(one, bytes) else str(one) for one in names.ravel().tolist()
        ]
    except UnicodeDecodeError:
        raise DataError(f"{path}: {CLASS_NAMES} is not UTF-8 text") from None


def _flat(labels: NDArray[np.generic], path: Path, name: str) -> NDArray[np.integer]:
    if labels.dtype.kind not in "iu" or not (
        labels.ndim == 1 or (labels.ndim == 2 and labels.shape[1] == 1)
    ):
        raise DataError(
            f"{path}: {name} is {labels.dtype} {labels.shape}; it must be whole numbers (n,) or "
            "(n, 1), one class a picture"
        )
    return labels.reshape(-1).astype(np.int64)
