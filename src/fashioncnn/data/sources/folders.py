"""Folders of picture files, a folder a class: train|val|test/<class>/*, or <class>/* alone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashioncnn.data.images import LARGEST_SIDE, SMALLEST_SIDE, LabelledImages
from fashioncnn.data.sources.base import (
    PART_NAMES,
    Part,
    Progress,
    Size,
    Source,
    checked,
    checked_names,
    names_beside,
)
from fashioncnn.errors import DataError, StorageError
from fashioncnn.photos.files import MAX_FILE_BYTES, is_picture_name, read_picture_bytes

MAX_FILES = 1_000_000
MAX_LEFT_OUT = 20
DEFAULT_SIZE: Size = (28, 28)
# What a class may be called and a folder may not.
ESCAPES = (("%", "%25"), ("/", "%2F"))
KEEPING_FORM = 1

T = TypeVar("T")


@dataclass(frozen=True)
class _File:
    path: Path
    label: int


class Folders(Source):
    """Pictures of any size and kind, decoded once and kept in the user's cache.

    Classes are the folders' names, in the order of classes.txt where there is one. Within a split
    pictures are in the order of their files' names. Where all have one size, of 8 to 224 pixels a
    side, they keep it, unless another is asked for; where sizes differ each is stretched to the
    size that is asked for, 28 x 28 if none is. They are in colour where one of them is.
    """

    kind = "folders"
    looks_like = "a folder with train/<class>/*.png and so on, or <class>/*.png alone"

    def __init__(
        self, place: Path, files: dict[Part, list[tuple[str, Path]]], size: Size | None
    ) -> None:
        self.place, self.name = place, place.resolve().name
        found = sorted({name for listed in files.values() for name, _ in listed})
        self.class_names = names_beside(place) or checked_names(found, place)
        if unnamed := set(found) - set(self.class_names):
            raise DataError(f"{place}: classes.txt does not name the class {min(unnamed)!r}")
        if "train" not in files:
            raise DataError(f"{place}: no folder called train, and there is one for another split")
        numbers = {name: number for number, name in enumerate(self.class_names)}
        self._asked = size
        self._files = {
            part: [
                _File(path, numbers[name])
                for name, path in sorted(listed, key=lambda one: (one[1].name, one[0]))
            ]
            for part, listed in files.items()
        }
        self.parts = tuple(self._files)

    @classmethod
    def open(cls, place: Path, size: Size | None) -> Folders | None:
        """Open a folder that has folders with picture files."""
        if not place.is_dir():
            return None
        inside = _folders(place)
        split = {part: one for one in inside if (part := PART_NAMES.get(one.name.lower()))}
        if split and len(split) < len(inside) and "train" not in split:
            split = {}
        if split:
            files = {part: _of_classes(folder) for part, folder in split.items()}
        else:
            files = {"train": _of_classes(place)}
        files = {part: listed for part, listed in files.items() if listed}
        return cls(place, files, size) if files else None

    @cached_property
    def sizes(self) -> Counter[Size]:
        """How many pictures have which height and width, of those whose headers can be read."""
        every = [one for several in self._files.values() for one in several]
        found = Counter(one for one in _in_parallel(_measure, every) if one)
        if not found:
            raise DataError(f"{self.place}: no picture that can be read")
        return found

    @property
    def mixed(self) -> bool:
        """Whether pictures have to be resized: their sizes differ, or are too small or large."""
        ((height, width), _), *others = self.sizes.items()
        fits = SMALLEST_SIDE <= min(height, width) <= max(height, width) <= LARGEST_SIDE
        return bool(others) or not fits

    def read(self, part: Part) -> LabelledImages:
        """Return one split, from the cache where the same files were decoded before."""
        images, labels = self._kept.part(part)
        self.left_out = self._kept.left_out
        return checked(images, labels, self.class_names, self.place)

    @cached_property
    def _kept(self) -> _Kept:
        own = DEFAULT_SIZE if self.mixed else next(iter(self.sizes))
        return _kept(self._files, self._asked or own, self.progress)


def write_folders(folder: Path, parts: dict[Part, LabelledImages]) -> None:
    """Write splits as PNG files that `Folders` reads back in the same order."""
    names = next(iter(parts.values())).class_names
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names), "utf-8")
    for part, pictures in parts.items():
        into = [folder / _FOLDER_NAMES[part] / _escaped(name) for name in names]
        for one in into:
            one.mkdir(parents=True)
        for number, (image, label) in enumerate(
            zip(pictures.images_NHWC, pictures.labels.tolist(), strict=True)
        ):
            shown = image[..., 0] if image.shape[2] == 1 else image
            Image.fromarray(shown).save(into[label] / f"{number:06d}.png", compress_level=1)


_FOLDER_NAMES: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}


def _escaped(name: str) -> str:
    for plain, escaped in ESCAPES:
        name = name.replace(plain, escaped)
    return name


def _unescaped(name: str) -> str:
    for plain, escaped in reversed(ESCAPES):
        name = name.replace(escaped, plain)
    return name


def _folders(place: Path) -> list[Path]:
    return [Path(one.path) for one in _entries(place) if one.is_dir()]


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return sorted(
                (one for one in entries if not one.name.startswith(".")), key=lambda one: one.name
            )
    except OSError as error:
        raise StorageError.from_os_error("read", place, error) from None


def _of_classes(folder: Path) -> list[tuple[str, Path]]:
    """List the picture files of each class folder in `folder`."""
    found = []
    for one in _folders(folder):
        entries = _entries(one)
        files = [Path(entry.path) for entry in entries if entry.is_file()]
        if not files and any(_has_pictures(Path(entry.path)) for entry in entries):
            raise DataError(
                f"{one}: nested too deep: pictures lie in train|val|test/<class>/ or in <class>/"
            )
        found += [(_unescaped(one.name), path) for path in files]
        if len(found) > MAX_FILES:
            raise DataError(f"{folder}: more than {MAX_FILES:,} files")
    return found if any(is_picture_name(path) for _, path in found) else []


def _has_pictures(path: Path) -> bool:
    return path.is_dir() and any(is_picture_name(Path(entry.path)) for entry in _entries(path))


@dataclass(frozen=True)
class _Kept:
    """Decoded pictures in a folder of the cache, mapped into memory."""

    folder: Path
    left_out: list[str]

    def part(self, part: Part) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        # Copy on write: torch wants arrays that can be written, and nothing is.
        images = np.load(self.folder / f"{part}_images.npy", mmap_mode="c", allow_pickle=False)
        return images, np.load(self.folder / f"{part}_labels.npy", allow_pickle=False)


def _kept(files: dict[Part, list[_File]], size: Size, progress: Progress) -> _Kept:
    """Decode `files`, or find what was decoded of the same content before."""
    import platformdirs

    root = platformdirs.user_cache_path("fashioncnn") / "pictures"
    folder = root / _key(files, size)
    told = folder / "left_out.json"
    if not told.is_file():
        try:
            root.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        except OSError as error:
            raise StorageError.from_os_error("write", root, error) from None
        try:
            _decode(files, size, scratch, progress)
            scratch.rename(folder)
        except OSError as error:
            if not told.is_file():
                raise StorageError.from_os_error("write", folder, error) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return _Kept(folder, json.loads(told.read_text("utf-8")))


def _key(files: dict[Part, list[_File]], size: Size) -> str:
    """Return the SHA-256 of all that decides the decoded pictures: content, labels, order, size."""
    sha = hashlib.sha256(repr((KEEPING_FORM, size)).encode())
    listed = [(part, one) for part, several in files.items() for one in several]
    with ThreadPoolExecutor() as pool:
        digests = pool.map(lambda one: _digest(one[1].path), listed)
        for (part, one), digest in zip(listed, digests, strict=True):
            sha.update(f"{part} {one.label} ".encode())
            sha.update(os.fsencode(one.path.name) + b"\0" + digest)
    return sha.hexdigest()


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(_content(path)).digest()
    except (DataError, OSError):
        return b"unreadable"


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes")
    return path.read_bytes()


def _decode(files: dict[Part, list[_File]], size: Size, folder: Path, progress: Progress) -> None:
    """Decode all pictures into .npy files in `folder`, in parallel."""
    left_out: list[str] = []
    arrays: dict[Part, tuple[NDArray[np.uint8], list[int]]] = {}
    colour = False
    for part, several in files.items():
        images = np.lib.format.open_memmap(
            folder / f"{part}_images.npy", "w+", np.uint8, (len(several), *size, 3)
        )
        labels: list[int] = []
        all_decoded = _in_parallel(_Decoder(size), several)
        shown_progress = progress(all_decoded, len(several), f"decoding pictures ({part})")
        for one, decoded in zip(several, shown_progress, strict=True):
            if isinstance(decoded, str):
                left_out.append(decoded)
                continue
            colour = colour or not _is_grey(decoded)
            images[len(labels)] = decoded
            labels.append(one.label)
        arrays[part] = images, labels
    if not arrays["train"][1]:
        raise DataError(f"no picture to train on can be read; the first: {left_out[0]}")
    for part, (decoded_NHWC, known) in arrays.items():
        np.save(folder / f"{part}_labels.npy", np.array(known, np.int64))
        path = folder / f"{part}_images.npy"
        np.save(folder / "part.npy", decoded_NHWC[: len(known), :, :, : 3 if colour else 1])
        (folder / "part.npy").replace(path)
    shown = left_out[:MAX_LEFT_OUT]
    if more := len(left_out) - len(shown):
        shown.append(f"and {more:,} more")
    (folder / "left_out.json").write_text(json.dumps(shown))


def _is_grey(image_HWC: NDArray[np.uint8]) -> bool:
    return bool((image_HWC[..., :1] == image_HWC[..., 1:]).all())


def _measure(one: _File) -> Size | None:
    """Return a picture's height and width as it will be shown, from its header."""
    try:
        with Image.open(one.path) as picture:
            turned = picture.getexif().get(0x0112, 1) >= 5
            return (picture.width, picture.height) if turned else (picture.height, picture.width)
    except Exception:
        # What Pillow raises for damaged files has no type in common; decoding says what is wrong.
        return None


@dataclass(frozen=True)
class _Decoder:
    size: Size

    def __call__(self, one: _File) -> NDArray[np.uint8] | str:
        height, width = self.size
        try:
            picture = read_picture_bytes(_content(one.path), str(one.path), 2 * max(height, width))
        except (DataError, StorageError, OSError) as error:
            return str(error)
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)
        return np.asarray(picture.convert("RGB"))


def _in_parallel(work: Callable[[_File], T], files: Sequence[_File]) -> Iterator[T]:
    with ThreadPoolExecutor() as pool:
        yield from pool.map(work, files)
