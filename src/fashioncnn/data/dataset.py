"""The data set that a verb works on: opened at its door, each split read and checked once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.places import ENVIRONMENT_VARIABLE
from fashioncnn.data.sources import SOURCES
from fashioncnn.data.sources.base import PARTS, Part, Progress, Size, Source, checked_names, silent
from fashioncnn.data.sources.fashion_mnist import CLASSES, NAME, FashionMNIST, file_digests
from fashioncnn.data.splits import stratified
from fashioncnn.errors import DataError, StorageError

# A data set that brings no test pictures has as large a share of all set aside as Fashion-MNIST.
MADE_TEST_SHARE = 1 / 7
MADE_TEST_SEED = 20170825
# The sum of the SHA-256 of each picture and its label, modulo 2^256: Fashion-MNIST's, however it is
# ordered.
FASHION_MNIST_SUMS: dict[Part, str] = {
    "train": "6500a5c38e44b76e4d2cda21fd0b5881b1d4465198c280ac705955c8de3ea6dd",
    "test": "9fa243ba9d14ee8352ced0878e7cb93339e1f1d352c0b1d56db6f7c9781978d2",
}


@dataclass(frozen=True)
class DataSet:
    """The labelled pictures at `place`, or Fashion-MNIST where it is found.

    `place` is anything that one of `data.sources` knows; without it, $FASHIONCNN_DATA is. Pictures
    that come in any size are made `size`, (height, width). Reading raises DataError. Where a source
    has no test pictures, a seventh of its training pictures are set aside for it, of every class in
    proportion, and of each at least one where it has two, by a fixed seed.
    """

    place: Path | str | None = None
    size: Size | None = None
    progress: Progress = field(default=silent, compare=False)
    given: Source | None = None

    @staticmethod
    def of(
        train: LabelledImages,
        test: LabelledImages | None = None,
        validation: LabelledImages | None = None,
        name: str = "pictures",
    ) -> DataSet:
        """Return a data set of pictures in memory.

        Raises DataError where they are no LabelledImages, or of one class.
        """
        parts: dict[Part, LabelledImages] = {"train": train}
        # An empty one is as none.
        if validation is not None and len(validation):
            parts["validation"] = validation
        if test is not None and len(test):
            parts["test"] = test
        for part, one in parts.items():
            if not isinstance(one, LabelledImages):
                raise DataError(f"{part} is {type(one).__name__}; it must be fc.LabelledImages")
            checked_names(one.class_names, Path(name))
        return DataSet(given=_InMemory(name, parts))

    @cached_property
    def source(self) -> Source:
        """Where the pictures come from. Raises DataError when there is nothing that is known."""
        source = self.given or open_source(self.place, self.size)
        source.progress = self.progress
        return source

    @property
    def name(self) -> str:
        """What the data set is called: "Fashion-MNIST" where it is that, and only there."""
        if self.is_fashion_mnist:
            return NAME
        return f"{NAME}, not as published" if self.source.name == NAME else self.source.name

    @cached_property
    def is_fashion_mnist(self) -> bool:
        """Whether these are Fashion-MNIST's training pictures, in whatever order and form.

        Test is not read for that: its pictures are compared when it is.
        """
        if isinstance(self.source, FashionMNIST):
            return True
        if "test" not in self.source.parts:
            return False
        if len(self.source.class_names) != len(CLASSES):
            return False
        train = self._read("train")
        return len(train) == 60_000 and content_sum(train) == FASHION_MNIST_SUMS["train"]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        names = self.source.class_names
        numbers = tuple(str(number) for number in range(len(CLASSES)))
        # Files that name no classes may be Fashion-MNIST's all the same.
        return CLASSES if names == numbers and self.is_fashion_mnist else names

    @property
    def shape(self) -> Shape:
        """Channels, height and width of each picture."""
        return self.train.shape

    @cached_property
    def train(self) -> LabelledImages:
        """The training pictures, without those set aside for test."""
        train = self._named(self._read("train"))
        return train if self._made_test is None else train.take(self._made_test[0])

    @cached_property
    def validation(self) -> LabelledImages | None:
        """The validation pictures that the source brings, if it does."""
        if "validation" not in self.source.parts:
            return None
        return self._named(self._read("validation"))

    @cached_property
    def test(self) -> LabelledImages:
        """The test pictures. Evaluation reads them; see `runs.readings`."""
        if self._made_test is not None:
            return self._named(self._read("train")).take(self._made_test[1])
        test = self._read("test")
        proved = isinstance(self.source, FashionMNIST) or not self.is_fashion_mnist
        if not proved and content_sum(test) != FASHION_MNIST_SUMS["test"]:
            raise DataError(
                f"{self.source.place}: the training pictures are Fashion-MNIST's, those for test "
                "are not"
            )
        return self._named(test)

    def brought(self) -> dict[Part, LabelledImages]:
        """Return the splits that the source brings; none is made."""
        return {part: self._named(self._read(part)) for part in self.source.parts}

    def address(self) -> tuple[str | None, Size | None]:
        """Return place and size, for another process. Raises DataError for pictures in memory."""
        if self.given:
            raise DataError(f"{self.given.name} is in memory: other processes cannot open it")
        return None if self.place is None else str(self.place), self.size

    def facts(self) -> dict[str, Any]:
        """Return what a run records of the pictures that were loaded for training."""
        train = self.train
        return {
            "name": self.name,
            "kind": self.source.kind,
            "place": self._place(),
            "class_names": list(self.class_names),
            "channels": train.shape.channels,
            "height": train.shape.height,
            "width": train.shape.width,
            "train_images": len(train),
            "train_sha256": train.digest,
            "test_made_by_seed": None if self._made_test is None else MADE_TEST_SEED,
        }

    def _place(self) -> str:
        if self.given:
            return str(self.given.place)
        return os.path.abspath(self.source.place)  # noqa: PTH100 links stay as they are

    def file_digests(self) -> dict[str, str]:
        """Return the SHA-256 of the files of Fashion-MNIST that were proved, by name."""
        return file_digests("train") if isinstance(self.source, FashionMNIST) else {}

    def remarks(self) -> list[str]:
        """Return what is odd about the data, or was made of it, a line each."""
        source, train = self.source, self.train
        lines = [f"left out: {one}" for one in source.left_out]
        if self._made_test is not None:
            lines.append(
                f"{source.place} brings no test pictures: {len(self._made_test[1]):,} are set "
                f"aside of {len(self._read('train')):,}, of every class in proportion, by seed "
                f"{MADE_TEST_SEED}"
            )
        counts = {"training": train.counts()}
        if "validation" in source.parts:
            counts["validation"] = self._read("validation").counts()
        if self._made_test is not None:
            labels = self._read("train").labels[self._made_test[1]]
            counts["test"] = np.bincount(labels, minlength=len(self.class_names))
        for part, of_classes in counts.items():
            if empty := [self.class_names[at] for at in np.flatnonzero(of_classes == 0)]:
                more = f" and {len(empty) - 10:,} more" if len(empty) > 10 else ""
                lines.append(f"no {part} picture of {', '.join(empty[:10])}{more}")
        return lines

    @cached_property
    def _made_test(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
        """Return which training pictures stay and which become test, or None."""
        if "test" in self.source.parts:
            return None
        labels, classes = self._read("train").labels, len(self.source.class_names)
        can_give = np.count_nonzero(np.bincount(labels, minlength=classes) > 1)
        count = max(1, round(len(labels) * MADE_TEST_SHARE), int(can_give))
        return stratified(labels, classes, count, MADE_TEST_SEED)

    def _read(self, part: Part) -> LabelledImages:
        if part not in self._parts:
            found = self.source.read(part)
            if not len(found):
                raise DataError(f"{self.source.place}: no picture for {part}")
            # Fashion-MNIST's files are proved to be of one shape.
            if part != "train" and not isinstance(self.source, FashionMNIST):
                shape = self._read("train").shape
                if found.shape != shape:
                    raise DataError(
                        f"{self.source.place}: pictures for {part} are {found.shape}, those for "
                        f"train {shape}"
                    )
            self._parts[part] = found
        return self._parts[part]

    @cached_property
    def _parts(self) -> dict[Part, LabelledImages]:
        return {}

    def _named(self, pictures: LabelledImages) -> LabelledImages:
        names = self.class_names
        if pictures.class_names == names:
            return pictures
        return LabelledImages(pictures.images_NHWC, pictures.labels, names)


class _InMemory(Source):
    """Pictures that were handed in."""

    kind = "memory"
    looks_like = "pictures in memory"
    place = Path(looks_like)

    def __init__(self, name: str, parts: dict[Part, LabelledImages]) -> None:
        self.name, self._parts = name, parts
        self.parts = tuple(part for part in PARTS if part in parts)
        self.class_names = parts["train"].class_names
        for one in parts.values():
            if (one.class_names, one.shape) != (self.class_names, parts["train"].shape):
                raise DataError("the splits of a data set have the same classes and shape")

    @classmethod
    def open(cls, place: Path, size: Size | None) -> None:
        """Nothing on a disk is of this kind."""

    def read(self, part: Part) -> LabelledImages:
        """Return what was handed in."""
        return self._parts[part]


def open_source(place: Path | str | None, size: Size | None = None) -> Source:
    """Open what lies at `place`, else at $FASHIONCNN_DATA, else Fashion-MNIST.

    Raises DataError when nothing that is known lies there, StorageError where it may not be read.
    """
    named = place if place is not None else os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        return FashionMNIST.found()
    path = Path(named).expanduser()
    try:
        for kind in SOURCES.values():
            if source := kind.open(path, size):
                if isinstance(source, FashionMNIST) and place is None:
                    source.origin = ENVIRONMENT_VARIABLE
                return source
        what = "no pictures that are known" if path.exists() else "nothing is there"
        if str(path) == _InMemory.looks_like:
            raise DataError("the pictures were in memory: hand them in as data=fc.DataSet.of(…)")
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
    given = "--data" if place is not None else ENVIRONMENT_VARIABLE
    known = "; ".join(source.looks_like for source in SOURCES.values())
    raise DataError(f"{path} ({given}): {what}. Known are: {known}")


def content_sum(pictures: LabelledImages) -> str:
    """Return what pictures and labels have in common with the same ones in any other order."""
    total = 0
    for image, label in zip(pictures.images_NHWC, pictures.labels.tolist(), strict=True):
        total += int.from_bytes(hashlib.sha256(image.tobytes() + bytes([label])).digest(), "big")
    return f"{total % (1 << 256):064x}"
