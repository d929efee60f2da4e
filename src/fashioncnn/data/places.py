"""Where Fashion-MNIST's files lie on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fashioncnn.data.identity import FILES
from fashioncnn.errors import DataError

SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
ENVIRONMENT_VARIABLE = "FASHIONCNN_DATA"
# Where other tools leave the files below the folder that they were given.
SUBFOLDERS = ("", "fashion-mnist", "FashionMNIST/raw", "raw")


@dataclass(frozen=True)
class Place:
    """A folder with Fashion-MNIST's four files, and how it was found."""

    folder: Path
    origin: str


def cache_folder() -> Path:
    """Return the user's cache folder for Fashion-MNIST."""
    import platformdirs

    return platformdirs.user_cache_path("fashioncnn") / "fashion-mnist"


def candidates(data: Path | str | None = None) -> list[Place]:
    """List the places to look in, best first; a place the user names is the only one."""
    if data is not None:
        return [Place(Path(data), "--data")]
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return [Place(Path(named), ENVIRONMENT_VARIABLE)]
    return [
        Place(cache_folder(), "the user's cache"),
        Place(SYSTEM_FOLDER, "the system's copy"),
    ]


def find(data: Path | str | None = None) -> Place:
    """Find the folder to read: `data`, else $FASHIONCNN_DATA, else the cache, else the system's.

    Only looks for the files' names: reading verifies what they hold. Raises DataError when no
    place has all four.
    """
    tried = candidates(data)
    for place in tried:
        if folder := folder_with_files(place.folder):
            return Place(folder, place.origin)
    places = ", ".join(f"{place.folder} ({place.origin})" for place in tried)
    raise DataError(f"Fashion-MNIST is not in {places}; `fashioncnn data fetch` gets it")


def folder_with_files(folder: Path) -> Path | None:
    """Return `folder`, or the folder below it where other tools put them, that has the files."""
    for subfolder in SUBFOLDERS:
        if all(file_path(folder / subfolder, name) for name in FILES):
            return folder / subfolder
    return None


def file_path(folder: Path, name: str) -> Path | None:
    """Return the path of the file called `name` in `folder`, plain or gzipped, if there."""
    return next((path for path in spellings(folder, name) if path.is_file()), None)


def spellings(folder: Path, name: str) -> list[Path]:
    """Return the paths that the file called `name` may have in `folder`."""
    dotted = name.replace("-idx", ".idx")
    return [folder / one for one in (name, f"{name}.gz", dotted, f"{dotted}.gz")]
