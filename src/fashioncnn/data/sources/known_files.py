"""What is known of a folder's picture files: no file is read again until it changes.

The idea is that of git's index: a file whose size, times and inode are as they were has the content
that it had. A file that was changed shortly before it was read may change again within the same
tick of the clock, and is read again.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashioncnn.data.sources.base import Progress, Size
from fashioncnn.errors import DataError
from fashioncnn.photos.files import FORMATS, content_of

MAX_FILES = 1_000_000
# A file changed within this time before it was read is not trusted: clocks tick in up to 2 s.
TICK_NANOSECONDS = 2_000_000_000
UNREADABLE = b"unreadable"
ROW = np.dtype(
    [
        ("path", "V32"),  # SHA-256 of the path below the folder
        ("stat", "<i8", 5),  # size, modified and changed in ns, inode, device
        ("digest", "V32"),  # SHA-256 of the content
        ("size", "<i4", 2),  # height and width, 0 where the header cannot be read
    ]
)


@dataclass(frozen=True)
class KnownFile:
    """SHA-256 of a file's content; height and width of the picture as shown, by its header."""

    digest: bytes
    size: Size | None


def known_files(place: Path, paths: Sequence[Path], progress: Progress) -> list[KnownFile]:
    """Return what is known of each of the files at `place`, reading those that are new or changed.

    What is found is kept in the user's cache, if it can be.
    """
    index = _index_of(place)
    earlier = _read(index)
    rows = np.zeros(len(paths), ROW)
    started = time.time_ns()
    unread = []
    for number, path in enumerate(paths):
        name, stat = _name(place, path), _stat(path)
        row = earlier.get(name)
        if row is not None and stat is not None and row["stat"].tolist() == stat:
            rows[number] = row
        else:
            unread.append(number)
    found: dict[int, KnownFile] = {}
    if unread:
        changed = [paths[number] for number in unread]
        shown = progress(_in_parallel(changed), len(changed), "reading pictures")
        for number, known in zip(unread, shown, strict=True):
            found[number] = known
            stat = _stat(paths[number])
            if known.digest != UNREADABLE and stat and max(stat[1:3]) + TICK_NANOSECONDS < started:
                name = _name(place, paths[number])
                rows[number] = (name, stat, known.digest, known.size or (0, 0))
        _write(index, rows[rows["path"] != np.void(bytes(32))])
    return [found.get(number) or _known(row) for number, row in enumerate(rows)]


def _in_parallel(paths: Sequence[Path]) -> Iterator[KnownFile]:
    with ThreadPoolExecutor() as pool:
        yield from pool.map(_look, paths)


def _look(path: Path) -> KnownFile:
    try:
        content = content_of(path)
    except (DataError, OSError):
        return KnownFile(UNREADABLE, None)
    return KnownFile(hashlib.sha256(content).digest(), _size(content))


def _size(content: bytes) -> Size | None:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            turned = picture.getexif().get(0x0112, 1) >= 5
            return (picture.width, picture.height) if turned else (picture.height, picture.width)
    except Exception:
        # What Pillow raises for damaged files has no type in common; decoding says what is wrong.
        return None


def _known(row: np.void) -> KnownFile:
    height, width = row["size"].tolist()
    return KnownFile(row["digest"].tobytes(), (height, width) if height and width else None)


def _name(place: Path, path: Path) -> bytes:
    return hashlib.sha256(os.fsencode(path.relative_to(place))).digest()


def _stat(path: Path) -> list[int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev]


def _index_of(place: Path) -> Path:
    import platformdirs

    name = hashlib.sha256(os.fsencode(place.resolve())).hexdigest()
    return platformdirs.user_cache_path("fashioncnn") / "known-files" / f"{name}.npy"


def _read(index: Path) -> dict[bytes, np.void]:
    """Return the rows by path; none where the index is missing or damaged."""
    try:
        if index.stat().st_size > MAX_FILES * ROW.itemsize + 1024:
            return {}
        # Mapped: a header that speaks of more than there is takes no memory.
        rows: NDArray[np.void] = np.lib.format.open_memmap(index, mode="r")
    except (OSError, ValueError, EOFError, OverflowError):
        return {}
    if rows.dtype != ROW or rows.ndim != 1:
        return {}
    return {row["path"].tobytes(): row for row in rows}


def _write(index: Path, rows: NDArray[np.void]) -> None:
    """Keep the rows. Where the disk refuses, files are read again the next time."""
    with suppress(OSError):
        index.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=index.parent, prefix=".new-", delete=False) as file:
            try:
                np.save(file, rows)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(index)
            except BaseException:
                Path(file.name).unlink()
                raise
