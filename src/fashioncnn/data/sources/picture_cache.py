"""Picture files decoded once, and kept in the user's cache until their content changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fashioncnn.data.sources.base import Part, Progress, Size
from fashioncnn.errors import DataError, StorageError
from fashioncnn.photos.files import content_of, read_picture_bytes, stretched
from fashioncnn.photos.pixel_budget import BUDGET, decoded_pixels

MAX_LEFT_OUT = 20
# Counts up when what is kept changes.
FORM = 2
LEFT_OUT = "left_out.json"

T = TypeVar("T")
Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True)
class PictureFile:
    """A file, the number of its class, and the SHA-256 of its content."""

    path: Path
    label: int
    digest: bytes


@dataclass(frozen=True)
class Decoded:
    """Images uint8 (n, h, w, c), mapped into memory, and labels, by split; what is left out."""

    parts: Mapping[Part, Labelled]
    left_out: Sequence[str]


def decoded(files: Mapping[Part, Sequence[PictureFile]], size: Size, progress: Progress) -> Decoded:
    """Decode `files` to `size`, or find what was decoded of the same content before.

    Raises DataError when there is nothing to train on, StorageError when the disk refuses.
    """
    import platformdirs

    root = platformdirs.user_cache_path("fashioncnn") / "pictures"
    folder = root / _key(files, size)
    if (found := _open(folder, files, size)) is not None:
        return found
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{folder.name}.lock"):
            if _open(folder, files, size) is None:
                _make(folder, files, size, progress)
    except OSError as error:
        raise StorageError.from_os_error("write", folder, error) from None
    found = _open(folder, files, size)
    assert found is not None
    return found


def _make(
    folder: Path, files: Mapping[Part, Sequence[PictureFile]], size: Size, progress: Progress
) -> None:
    """Decode `files` into `folder`, all or nothing."""
    # What is there and cannot be opened is damaged.
    shutil.rmtree(folder, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        _decode(files, size, scratch, progress)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _open(folder: Path, files: Mapping[Part, Sequence[PictureFile]], size: Size) -> Decoded | None:
    """Map what is kept in `folder`; None where there is nothing, or it is damaged."""
    try:
        first, count = json.loads((folder / LEFT_OUT).read_text("utf-8"))
        # Files are named as they are called now.
        left_out = [f"{files[part][at].path}: {why}" for part, at, why in first]
        if more := count - len(left_out):
            left_out.append(f"and {more:,} more")
        parts: dict[Part, Labelled] = {}
        for part in files:
            # Copy on write: torch wants arrays that can be written, and nothing is.
            images = np.load(folder / f"{part}_images.npy", mmap_mode="c", allow_pickle=False)
            labels = np.load(folder / f"{part}_labels.npy", allow_pickle=False)
            if (
                images.dtype != np.uint8
                or images.shape[:3] != (len(labels), *size)
                or labels.dtype != np.int64
            ):
                return None
            parts[part] = images, labels
    except (OSError, ValueError, EOFError, TypeError, LookupError):
        return None
    return Decoded(parts, left_out)


def _key(files: Mapping[Part, Sequence[PictureFile]], size: Size) -> str:
    """Return the SHA-256 of all that decides the decoded pictures: content, labels, order, size."""
    sha = hashlib.sha256(repr((FORM, size)).encode())
    for part, several in files.items():
        for one in several:
            sha.update(f"{part} {one.label} ".encode())
            sha.update(os.fsencode(one.path.name) + b"\0" + one.digest)
    return sha.hexdigest()


def _decode(
    files: Mapping[Part, Sequence[PictureFile]], size: Size, folder: Path, progress: Progress
) -> None:
    """Decode all pictures into .npy files in `folder`, in parallel."""
    left_out: list[tuple[Part, int, str]] = []
    arrays: dict[Part, tuple[NDArray[np.uint8], list[int]]] = {}
    colour = False
    for part, several in files.items():
        images = np.lib.format.open_memmap(
            folder / f"{part}_images.npy", "w+", np.uint8, (len(several), *size, 3)
        )
        labels: list[int] = []
        all_decoded = _in_parallel(_Decoder(size), several)
        shown_progress = progress(all_decoded, len(several), f"decoding pictures ({part})")
        for at, (one, decoded) in enumerate(zip(several, shown_progress, strict=True)):
            if isinstance(decoded, str):
                left_out.append((part, at, decoded))
                continue
            colour = colour or not _is_grey(decoded)
            images[len(labels)] = decoded
            labels.append(one.label)
        arrays[part] = images, labels
    if not arrays["train"][1]:
        part, at, why = left_out[0]
        raise DataError(
            f"no picture to train on can be read; the first: {files[part][at].path}: {why}"
        )
    for part, (decoded_NHWC, known) in arrays.items():
        np.save(folder / f"{part}_labels.npy", np.array(known, np.int64))
        path = folder / f"{part}_images.npy"
        np.save(folder / "part.npy", decoded_NHWC[: len(known), :, :, : 3 if colour else 1])
        (folder / "part.npy").replace(path)
    (folder / LEFT_OUT).write_text(json.dumps([left_out[:MAX_LEFT_OUT], len(left_out)]))


def can_be_decoded(path: Path) -> bool:
    """Say whether a picture file is whole."""
    try:
        read_picture_bytes(content_of(path), str(path))
    except (DataError, StorageError, OSError):
        return False
    return True


def _is_grey(image_HWC: NDArray[np.uint8]) -> bool:
    return bool((image_HWC[..., :1] == image_HWC[..., 1:]).all())


@dataclass(frozen=True)
class _Decoder:
    size: Size

    def __call__(self, one: PictureFile) -> NDArray[np.uint8] | str:
        with BUDGET.spend(decoded_pixels(one.path)):
            return self._decoded(one)

    def _decoded(self, one: PictureFile) -> NDArray[np.uint8] | str:
        height, width = self.size
        try:
            picture = read_picture_bytes(
                content_of(one.path), str(one.path), 2 * max(height, width)
            )
        except (DataError, StorageError, OSError) as error:
            return str(error).removeprefix(f"{one.path}: ")
        return np.asarray(stretched(picture, height, width).convert("RGB"))


def _in_parallel(work: Callable[[PictureFile], T], files: Sequence[PictureFile]) -> Iterator[T]:
    """Yield what `work` makes of each file, in order, on all cores."""
    with ThreadPoolExecutor() as pool:
        yield from pool.map(work, files)
