"""Bringing Fashion-MNIST to this machine, from the nearest place that has it intact."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fashioncnn.data import debian, download
from fashioncnn.data.identity import FILES
from fashioncnn.data.places import (
    ENVIRONMENT_VARIABLE,
    Place,
    cache_folder,
    candidates,
    file_path,
    folder_with_files,
    spellings,
)
from fashioncnn.data.sources.fashion_mnist import read_verified
from fashioncnn.errors import DataError, StorageError

Say = Callable[[str], None]


def fetch(
    from_folder: Path | None = None,
    *,
    say: Say | None = None,
    mirrors: Sequence[str] = download.MIRRORS,
) -> Place:
    """Find or get Fashion-MNIST's four files, verified; `say` hears what was tried.

    A folder that the user names (`from_folder`, copied to the cache, or $FASHIONCNN_DATA) is the
    only one looked at. Else: the cache, the system's copy, the mirrors in their order, Debian's
    package. Raises DataError when none has them.
    """
    if from_folder is not None:
        return _into_cache(from_folder, f"{from_folder} (--from), copied to the cache")
    say = say or (lambda _: None)
    problems = []
    named = bool(os.environ.get(ENVIRONMENT_VARIABLE))
    for place in candidates():
        if folder := folder_with_files(place.folder):
            try:
                verify(folder)
                return Place(folder, place.origin)
            except DataError as error:
                problems.append(str(error))
                say(f"{place.origin}: {error}")
        elif named:
            raise DataError(f"{ENVIRONMENT_VARIABLE} is {place.folder}: {_missing(place.folder)}")
    if named:
        raise DataError(problems[0])
    for mirror in mirrors:
        say(f"downloading from {mirror}")
        try:
            return _download(mirror)
        except DataError as error:
            problems.append(str(error))
            say(str(error))
    if debian.available():
        say(f"fetching Debian's package {debian.PACKAGE} with apt")
        try:
            with _scratch_folder() as scratch:
                return _into_cache(debian.fetch(scratch), f"Debian's package {debian.PACKAGE}")
        except DataError as error:
            problems.append(str(error))
    raise DataError("Fashion-MNIST could not be fetched: " + "; ".join(problems))


def verify(folder: Path) -> None:
    """Read all four files and prove them; raises DataError naming the first fault."""
    for name in FILES:
        read_verified(folder, name)


def check(folder: Path) -> dict[str, str]:
    """Say of each of the four files "intact", "missing" or what is wrong with it."""
    found = folder_with_files(folder) or folder
    verdicts = {}
    for name in FILES:
        if file_path(found, name) is None:
            verdicts[name] = "missing"
            continue
        try:
            read_verified(found, name)
            verdicts[name] = "intact"
        except (DataError, StorageError) as error:
            verdicts[name] = str(error)
    return verdicts


def _missing(folder: Path) -> str:
    if not folder.is_dir():
        return "there is no such folder"
    missing = [name for name in FILES if file_path(folder, name) is None]
    return f"missing {', '.join(missing)}"


def _into_cache(folder: Path, origin: str) -> Place:
    """Verify the files in `folder` and copy them to the cache, all or none."""
    found = folder_with_files(folder)
    if found is None:
        raise DataError(f"{folder}: {_missing(folder)}")
    verify(found)
    with _scratch_folder() as scratch:
        for name in FILES:
            path = file_path(found, name)
            assert path is not None
            shutil.copyfile(path, scratch / (name + (".gz" if path.suffix == ".gz" else "")))
        return Place(_settle(scratch), origin)


def _download(mirror: str) -> Place:
    with _scratch_folder() as scratch:
        for name in FILES:
            download.download(mirror, name, scratch)
            read_verified(scratch, name)
        return Place(_settle(scratch), f"downloaded from {mirror}")


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Give a folder beside the cache, so that finished files move into it by renaming."""
    parent = cache_folder().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise StorageError.from_os_error("write to", parent, error) from None


def _settle(scratch: Path) -> Path:
    cache = cache_folder()
    cache.mkdir(exist_ok=True)
    for name in FILES:
        path = file_path(scratch, name)
        assert path is not None
        path.replace(cache / path.name)
        for stale in spellings(cache, name):
            if stale.name != path.name:
                stale.unlink(missing_ok=True)
    return cache
