"""Fashion-MNIST's four files, each proved by its SHA-256 when it is read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fashioncnn.data import places
from fashioncnn.data.identity import FASHION_MNIST, SHAPES, fault
from fashioncnn.data.idx import IdxFile, read_idx
from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.sources.base import Part, Size, Source, checked
from fashioncnn.errors import DataError

CLASSES = (
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
NAME = "Fashion-MNIST"
SHAPE = Shape(1, 28, 28)
PREFIXES: dict[Part, str] = {"train": "train", "test": "t10k"}


class FashionMNIST(Source):
    """The 60,000 and 10,000 pictures of Zalando Research, as they are since 2017-08-31."""

    kind = "fashion-mnist"
    looks_like = "Fashion-MNIST's four IDX files"
    name = NAME
    class_names = CLASSES
    parts = ("train", "test")

    def __init__(self, folder: Path, origin: str) -> None:
        self.place, self.origin = folder, origin

    @classmethod
    def open(cls, place: Path, size: Size | None) -> FashionMNIST | None:
        """Open a folder with files of its names; with others' labels it is another data set."""
        del size
        folder = places.folder_with_files(place)
        if folder is None or not _claims_to_be(folder):
            return None
        return cls(folder, "--data")

    @classmethod
    def found(cls) -> FashionMNIST:
        """Open Fashion-MNIST where it lies on this machine. DataError when it is nowhere."""
        place = places.find()
        return cls(place.folder, place.origin)

    def read(self, part: Part) -> LabelledImages:
        """Read the 60,000 pictures of "train" or the 10,000 of "test", verified."""
        prefix = PREFIXES[part]
        images = read_verified(self.place, f"{prefix}-images-idx3-ubyte").elements
        labels = read_verified(self.place, f"{prefix}-labels-idx1-ubyte").elements
        return checked(images, labels, CLASSES, self.place)


def read_verified(folder: Path, name: str) -> IdxFile:
    """Read one of the four files and prove that it is Fashion-MNIST's.

    Raises DataError when it is missing, damaged or of another data set.
    """
    path = places.file_path(folder, name)
    if path is None:
        raise DataError(f"{folder}: {name} (or {name}.gz) is missing")
    file = read_idx(path, shapes=SHAPES)
    if wrong := fault(name, file):
        raise DataError(f"{path}: {wrong}")
    return file


def file_digests(part: Part) -> dict[str, str]:
    """Return the SHA-256 that `read` proved, by file name, for the record."""
    return {name: sha for name, sha in FASHION_MNIST.items() if name.startswith(PREFIXES[part])}


def _claims_to_be(folder: Path) -> bool:
    """Say whether one of the files of labels is Fashion-MNIST's: then all must be."""
    for prefix in PREFIXES.values():
        name = f"{prefix}-labels-idx1-ubyte"
        path = places.file_path(folder, name)
        assert path is not None
        with contextlib.suppress(DataError):
            if read_idx(path, shapes=SHAPES).sha256 == FASHION_MNIST[name]:
                return True
    return False
