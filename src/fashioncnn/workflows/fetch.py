"""data: bringing Fashion-MNIST to this machine, and checking what lies somewhere."""

from __future__ import annotations

from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.data import fetch
from fashioncnn.data.places import Place
from fashioncnn.errors import DataError


def fetch_data(from_folder: Path | None = None) -> Place:
    """Find or get Fashion-MNIST, verified; see `fashioncnn.data.fetch`.

    Raises DataError when no place has it, StorageError when the disk refuses.
    """
    return fetch.fetch(from_folder, say=say)


def check_data(folder: Path) -> dict[str, str]:
    """Say of each of the four files whether it is "intact", "missing", or what is wrong.

    Raises DataError when there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    return fetch.check(folder)
