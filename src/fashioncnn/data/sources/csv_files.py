"""CSV files: a label and the pixels of one picture a line, as Kaggle ships Fashion-MNIST."""

from __future__ import annotations

import codecs
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import SMALLEST_SIDE, LabelledImages
from fashioncnn.data.sources.base import (
    CLASSES_FILE,
    Part,
    Size,
    Source,
    checked,
    count_classes,
    names_beside,
    numbered,
    part_of,
)
from fashioncnn.data.sources.folders import has_split_pictures
from fashioncnn.errors import DataError, StorageError

MAX_BYTES = 1 << 30


class CsvFiles(Source):
    """One file, or a folder with one a split, told apart by "train" and "test" in their names.

    A line holds the label, then the pixels of a square picture, row by row, 0 to 255: grey, or
    with three numbers a pixel. A first line of words, or of 0, 1, 2, …, is a header.
    """

    kind = "csv"
    looks_like = "a .csv file, or a folder with train and test ones: label, then pixels"

    def __init__(self, place: Path, files: dict[Part, Path]) -> None:
        self.place, self.name = place, place.stem
        rows = {part: _rows(path) for part, path in files.items()}
        self.parts = tuple(rows)
        self._files, self._rows = files, rows
        labels = [one[:, 0] for one in rows.values()]
        folder = place if place.is_dir() else place.parent
        named = names_beside(folder)
        if named and max(int(one.max()) for one in labels) >= len(named):
            raise DataError(f"{folder}: {CLASSES_FILE} names only {len(named)} classes")
        self.class_names = named or numbered(count_classes(labels, place))

    @classmethod
    def open(cls, place: Path, size: Size | None) -> CsvFiles | None:
        """Open a .csv file, or a folder that has one for training."""
        del size
        if place.suffix.lower() == ".csv" and place.is_file():
            return cls(place, {"train": place})
        if not place.is_dir() or has_split_pictures(place):
            return None
        found: dict[Part, Path] = {}
        for path in sorted(place.glob("*.csv")):
            if part := part_of(path.stem):
                found.setdefault(part, path)
        return cls(place, found) if "train" in found else None

    def read(self, part: Part) -> LabelledImages:
        """Return the pictures of one split."""
        rows = self._rows[part]
        pixels = rows[:, 1:]
        path = self._files[part]
        if pixels.size and not 0 <= pixels.min() <= pixels.max() <= 255:
            raise DataError(
                f"{path}: pixels from {pixels.min()} to {pixels.max()}; they must be 0 to 255"
            )
        images = pixels.astype(np.uint8).reshape(len(rows), *_shape(pixels.shape[1], path))
        return checked(images, rows[:, 0], self.class_names, path)


def _rows(path: Path) -> NDArray[np.int32]:
    """Read a file's numbers, (lines, 1 + pixels). DataError names the first bad line."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES:,} bytes")
        # Windows' editors put a mark in front.
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
    first = 1 if lines and _is_header(lines[0]) else 0
    numbered = [(at, line) for at, line in enumerate(lines, start=1) if at > first and line.strip()]
    if not numbered:
        raise DataError(f"{path}: no pictures")
    rows = [line for _, line in numbered]
    commas = rows[0].count(b",")
    for number, row in numbered:
        if row.count(b",") != commas:
            raise DataError(
                f"{path}: line {number} has {row.count(b',') + 1} numbers, the first {commas + 1}"
            )
    try:
        return np.loadtxt(
            (row.decode("latin-1") for row in rows), np.int32, delimiter=",", ndmin=2, comments=None
        )
    except ValueError as error:
        what = str(error).split(" to int32", 1)[0].removeprefix("could not convert ")
        raise DataError(f"{path}: holds what is no whole number ({what[:60]})") from None


def _is_header(line: bytes) -> bool:
    """Say whether a line names columns: by words, or 0, 1, 2, … as pandas does."""
    cells = [cell.strip().strip(b'"') for cell in line.split(b",")]
    numbers = [b"%d" % number for number in range(len(cells))]
    return not cells[0].lstrip(b"+-").isdigit() or (
        len(cells) > SMALLEST_SIDE**2 and cells == numbers
    )


def _shape(count: int, path: Path) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side * side * channels == count:
            return side, side, channels
    raise DataError(
        f"{path}: {count} pixels a line are no square picture; import others as folders or .npz"
    )
