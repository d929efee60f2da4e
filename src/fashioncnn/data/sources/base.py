"""What every source of pictures has: how it is recognised, its splits, its classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages, with_channels
from fashioncnn.errors import DataError, StorageError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
Size = tuple[int, int]
S = TypeVar("S", bound="Source")
# Yields what it is given, of which there are so many, while somebody is shown how far it is.
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]

MAX_CLASSES = 1000
CLASSES_FILE = "classes.txt"
# What the splits are called in the names of files and folders.
PART_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "t10k": "test",
}


def silent(items: Iterable[Any], count: int, words: str) -> Iterable[Any]:
    """Return `items`: a Progress that shows nothing."""
    del count, words
    return items


class Source(ABC):
    """Labelled pictures of one kind at `place`, opened: its names were read, its pictures not yet.

    `name` is what the data set is called, `parts` the splits that it brings, `left_out` what lies
    there and cannot be used, a line each.
    """

    kind: ClassVar[str]
    looks_like: ClassVar[str]
    # Whether pictures come in any size, and can be made another.
    resizes: ClassVar[bool] = False
    place: Path
    name: str
    class_names: tuple[str, ...]
    parts: tuple[Part, ...]
    left_out: Sequence[str] = ()
    # How a source shows what takes long; nothing is shown unless somebody sets it.
    progress: Progress = staticmethod(silent)

    @classmethod
    @abstractmethod
    def open(cls: type[S], place: Path, size: Size | None) -> S | None:
        """Open what lies at `place`, or return None where it is not of this kind.

        Pictures that come in any size are made `size` (height, width). Raises DataError when it is
        of this kind and cannot be used.
        """

    @property
    def mixed(self) -> bool:
        """Whether pictures come in sizes that have to be made one."""
        return False

    @abstractmethod
    def read(self, part: Part) -> LabelledImages:
        """Read one of `parts`. Raises DataError when it is damaged."""


def part_of(file_name: str) -> Part | None:
    """Return the split that the name of a file or folder speaks of: its first such word."""
    for separator in ".-_ ":
        file_name = file_name.replace(separator, "/")
    words = (word for word in file_name.lower().split("/") if word in PART_NAMES)
    return next((PART_NAMES[word] for word in words), None)


def numbered(count: int) -> tuple[str, ...]:
    """Return names for classes that have none: "0", "1", …"""
    return tuple(str(number) for number in range(count))


def names_beside(folder: Path) -> tuple[str, ...] | None:
    """Return the class names in `folder`'s classes.txt, one a line, or None without the file."""
    path = folder / CLASSES_FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            # Windows' editors put a mark in front.
            lines = file.read(1 << 20).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
    return checked_names([line for line in lines if line.strip()], path)


def checked_names(names: Sequence[str], where: Path) -> tuple[str, ...]:
    """Return class names that can be used, without spaces at their ends.

    Raises DataError for one, too many, or equal ones.
    """
    names = [name.strip() for name in names]
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(f"{where}: {len(names)} classes; 2 to {MAX_CLASSES:,} are needed")
    usable = all(0 < len(name) <= 200 and name.isprintable() for name in names)
    if len(set(names)) < len(names) or not usable:
        raise DataError(f"{where}: class names must differ and have 1 to 200 printable characters")
    return tuple(names)


def checked(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    names: tuple[str, ...],
    where: Path,
) -> LabelledImages:
    """Put pictures (n, h, w) or (n, h, w, c) and labels together; DataError names `where`."""
    try:
        return LabelledImages(with_channels(images), labels.astype(np.int64), names)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def filled(
    labels: dict[Part, NDArray[np.integer]], where: Path
) -> tuple[dict[Part, NDArray[np.integer]], list[str]]:
    """Return the splits that have pictures, and a line for each that has none.

    Raises DataError where there is none to train on.
    """
    kept = {part: found for part, found in labels.items() if len(found)}
    if "train" not in kept:
        raise DataError(f"{where}: no picture for train")
    return kept, [f"{where}: {part}, which has no pictures" for part in labels if part not in kept]


def count_classes(labels: Sequence[NDArray[np.integer]], where: Path) -> int:
    """Return how many classes labels speak of. Raises DataError unless they are 0, 1, 2, …"""
    present = np.unique(np.concatenate(labels))
    if not len(present):
        raise DataError(f"{where}: no pictures")
    if not np.array_equal(present, np.arange(len(present))):
        shown = ", ".join(map(str, present[:5].tolist())) + (", …" if len(present) > 5 else "")
        raise DataError(
            f"{where}: its labels are {shown}; they must be 0, 1, 2, … without a gap, or be named "
            f"in {CLASSES_FILE}"
        )
    if not 2 <= len(present) <= MAX_CLASSES:
        raise DataError(f"{where}: {len(present)} classes; 2 to {MAX_CLASSES:,} are needed")
    return len(present)
