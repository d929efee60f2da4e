"""IDX files of anything, named as MNIST's, KMNIST's or EMNIST's are."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.identity import FASHION_MNIST, MNIST
from fashioncnn.data.idx import read_idx, read_shape
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.places import SUBFOLDERS
from fashioncnn.data.sources.base import (
    Part,
    Size,
    Source,
    checked,
    checked_names,
    count_classes,
    filled,
    names_beside,
    numbered,
    part_of,
)
from fashioncnn.errors import DataError

FILE = re.compile(r"(?P<stem>.+)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?")


class IdxPairs(Source):
    """A file of images and one of labels for each split: train-images-idx3-ubyte, and so on.

    Classes are called by their numbers, unless classes.txt, or a mapping as EMNIST brings, names
    them.
    """

    kind = "idx"
    looks_like = "train-images-idx3-ubyte, train-labels-idx1-ubyte and the like, maybe .gz"

    def __init__(self, folder: Path, files: dict[str, dict[str, Path]], name: str) -> None:
        self.place, self.name = folder, name
        pairs = {part_of(stem): pair for stem, pair in files.items()}
        self._images: dict[Part, Path] = {}
        labels: dict[Part, NDArray[np.integer]] = {}
        for part in ("train", "validation", "test"):
            pair = pairs.get(part)
            if pair and len(pair) == 2:
                self._images[part] = pair["images"]
                labels[part] = _labels(pair["labels"], pair["images"])
        if "train" not in self._images:
            raise DataError(f"{folder}: no pair of IDX files for training ({self.looks_like})")
        self._labels, left_out = filled(labels, folder)
        alone = [next(iter(pair.values())) for pair in pairs.values() if len(pair) == 1]
        self.left_out = (
            *left_out,
            *(f"{path}: images or labels without the other" for path in alone),
        )
        self.parts = tuple(self._labels)
        self._values, self.class_names = self._classes()

    @classmethod
    def open(cls, place: Path, size: Size | None) -> IdxPairs | None:
        """Open a folder of such files, or one of several sets by its name."""
        del size
        of_names = [] if place.exists() else [(place.parent, place.name)]
        for folder, name in [(place / one, None) for one in SUBFOLDERS] + of_names:
            if found := _files(folder, name):
                # EMNIST's splits are called emnist-letters-train, emnist-letters-test.
                sets = sorted({_set_name(stem) for stem in found})
                if len(sets) > 1:
                    raise DataError(
                        f"{folder}: several data sets ({', '.join(sets[:8])}); name one, as in "
                        f"--data {folder / (sets[0] or sets[1])}"
                    )
                return cls(folder, found, sets[0] or place.resolve().name)
        return None

    def read(self, part: Part) -> LabelledImages:
        """Read a pair. Raises DataError when it is damaged, or is Fashion-MNIST's in part."""
        file = read_idx(self._images[part])
        if file.sha256 in FASHION_MNIST.values():
            raise DataError(
                f"{self._images[part]}: these are Fashion-MNIST's pictures, with labels that are "
                "not"
            )
        if file.sha256 in MNIST.values():
            self.name = "MNIST"
        labels = np.searchsorted(self._values, self._labels[part])
        return checked(file.elements, labels, self.class_names, self._images[part])

    def _classes(self) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the labels in the files, rising, and what each class is called."""
        labels = list(self._labels.values())
        present = np.unique(np.concatenate(labels)).astype(np.int64)
        mapping = self.place / f"{self.name}-mapping.txt"
        if mapping.is_file() and (mapped := _mapping(mapping)).keys() >= set(present.tolist()):
            names = [mapped[value] for value in present.tolist()]
            return present, checked_names(names, mapping)
        if named := names_beside(self.place):
            if len(named) <= int(present.max()):
                raise DataError(
                    f"{self.place}: classes.txt names {len(named)} classes, and there are labels "
                    f"up to {present.max()}"
                )
            return np.arange(len(named)), named
        count = count_classes(labels, self.place)
        return np.arange(count), numbered(count)


def _files(folder: Path, name: str | None) -> dict[str, dict[str, Path]]:
    """Return the files of each split, of the set of this name or of all, and what they hold."""
    found: dict[str, dict[str, Path]] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.glob("*ubyte*")):
        match = FILE.fullmatch(path.name)
        if not match or not part_of(match["stem"]) or not path.is_file():
            continue
        if name is None or _set_name(match["stem"]) == name:
            found.setdefault(match["stem"], {}).setdefault(match["what"], path)
    return found


def _set_name(stem: str) -> str:
    """Return "emnist-letters" of "emnist-letters-train", and "" of "train" and "t10k"."""
    return stem.rpartition("-")[0]


def _labels(path: Path, images: Path) -> NDArray[np.uint8]:
    """Read a file of labels whose header fits that of its file of images."""
    of_images, shape = read_shape(images), read_shape(path)
    if len(of_images) != 3:
        raise DataError(f"{images}: images have 3 axes, not {len(of_images)}")
    if len(shape) != 1:
        raise DataError(f"{path}: labels have 1 axis, not {len(shape)}")
    if shape[0] != of_images[0]:
        raise DataError(f"{images}: {of_images[0]:,} pictures, but {shape[0]:,} labels in {path}")
    return read_idx(path).elements


def _mapping(path: Path) -> dict[int, str]:
    """Read EMNIST's mapping: a label and the code of its character, or of both cases, a line."""
    try:
        with path.open("rb") as file:
            rows = [line.split() for line in file.read(1 << 16).splitlines() if line.strip()]
        return {int(row[0]): "/".join(chr(int(code)) for code in row[1:]) for row in rows}
    except (OSError, ValueError, IndexError, OverflowError):
        raise DataError(f"{path}: not a mapping of labels to characters") from None
