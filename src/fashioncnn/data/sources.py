"""Where Fashion-MNIST's files lie on this machine, and reading them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fashioncnn.data.identity import FASHION_MNIST, FILES, SHAPES, fault
from fashioncnn.data.idx import IdxFile, read_idx
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import DataError

SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
ENVIRONMENT_VARIABLE = "FASHIONCNN_DATA"
# Where other tools leave the files below the folder that they were given.
SUBFOLDERS = ("", "fashion-mnist", "FashionMNIST/raw", "raw")

Part = Literal["train", "test"]
PREFIXES: dict[Part, str] = {"train": "train", "test": "t10k"}


@dataclass(frozen=True)
class Source:
    """A folder with Fashion-MNIST's four files, and how it was found."""

    folder: Path
    origin: str


def cache_folder() -> Path:
    """Return the user's cache folder for Fashion-MNIST."""
    import platformdirs

    return platformdirs.user_cache_path("fashioncnn") / "fashion-mnist"


def candidates(data: Path | str | None = None) -> list[Source]:
    """List the places to look in, best first; a place the user names is the only one."""
    if data is not None:
        return [Source(Path(data), "--data")]
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return [Source(Path(named), ENVIRONMENT_VARIABLE)]
    return [
        Source(cache_folder(), "the user's cache"),
        Source(SYSTEM_FOLDER, "the system's copy"),
    ]


def find(data: Path | str | None = None) -> Source:
    """Find the folder to read: `data`, else $FASHIONCNN_DATA, else the cache, else the system's.

    Only looks for the files' names: reading verifies what they hold. Raises DataError when no
    place has all four.
    """
    tried = candidates(data)
    for source in tried:
        if folder := folder_with_files(source.folder):
            return Source(folder, source.origin)
    places = ", ".join(f"{source.folder} ({source.origin})" for source in tried)
    raise DataError(f"Fashion-MNIST is not in {places}; `fashioncnn data fetch` gets it")


def folder_with_files(folder: Path) -> Path | None:
    """Return `folder`, or the folder below it where other tools put them, that has the files."""
    for subfolder in SUBFOLDERS:
        if all(file_path(folder / subfolder, name) for name in FILES):
            return folder / subfolder
    return None


def file_path(folder: Path, name: str) -> Path | None:
    """Return the path of the file called `name` in `folder`, plain or gzipped, if there."""
    dotted = name.replace("-idx", ".idx")
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def read_verified(folder: Path, name: str) -> IdxFile:
    """Read one of the four files and prove that it is Fashion-MNIST's.

    Raises DataError when it is missing, damaged or of another data set.
    """
    path = file_path(folder, name)
    if path is None:
        raise DataError(f"{folder}: {name} (or {name}.gz) is missing")
    file = read_idx(path, shapes=SHAPES)
    if wrong := fault(name, file):
        raise DataError(f"{path}: {wrong}")
    return file


def load(source: Source, part: Part) -> LabelledImages:
    """Read the 60,000 pictures of "train" or the 10,000 of "test", verified."""
    prefix = PREFIXES[part]
    images = read_verified(source.folder, f"{prefix}-images-idx3-ubyte").elements
    labels = read_verified(source.folder, f"{prefix}-labels-idx1-ubyte").elements
    return LabelledImages(images, labels.astype(np.int64))


def identity_digest(part: Part) -> dict[str, str]:
    """Return the SHA-256 that `load` proved, by file name, for the record."""
    return {name: sha for name, sha in FASHION_MNIST.items() if name.startswith(PREFIXES[part])}
