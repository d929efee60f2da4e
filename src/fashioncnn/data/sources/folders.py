"""Folders of picture files, a folder a class: train|val|test/<class>/*, or <class>/* alone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from PIL import Image

from fashioncnn.data.images import LARGEST_SIDE, SMALLEST_SIDE, LabelledImages
from fashioncnn.data.sources.base import (
    PART_NAMES,
    Part,
    Size,
    Source,
    checked,
    checked_names,
    names_beside,
)
from fashioncnn.data.sources.known_files import MAX_FILES, KnownFile, known_files
from fashioncnn.data.sources.picture_cache import Decoded, PictureFile, can_be_decoded, decoded
from fashioncnn.errors import DataError, StorageError
from fashioncnn.photos.files import is_picture_name

DEFAULT_SIZE: Size = (28, 28)
# What a class may be called and a folder may not.
ESCAPES = (("%", "%25"), ("/", "%2F"))
HIDDEN = "%2E"
# Files of another size than most that are decoded to see whether they count.
FEW = 20


class Folders(Source):
    """Pictures of any size and kind, decoded once and kept in the user's cache.

    Classes are the folders' names, in the order of classes.txt where there is one. Within a split
    pictures are in the order of their files' names. Where all have one size, of 8 to 224 pixels a
    side, they keep it, unless another is asked for; where sizes differ each is stretched to the
    size that is asked for, 28 x 28 if none is. They are in colour where one of them is.
    """

    kind = "folders"
    looks_like = "a folder with train/<class>/*.png and so on, or <class>/*.png alone"
    resizes = True

    def __init__(
        self,
        place: Path,
        files: dict[Part, list[tuple[str, Path]]],
        size: Size | None,
        left_out: Sequence[str],
    ) -> None:
        self.place, self.name = place, place.resolve().name
        self._left_aside = self.left_out = tuple(left_out)
        found = sorted({name for listed in files.values() for name, _ in listed})
        self.class_names = names_beside(place) or checked_names(found, place)
        if unnamed := set(found) - set(self.class_names):
            raise DataError(f"{place}: classes.txt does not name the class {min(unnamed)!r}")
        if "train" not in files:
            raise DataError(f"{place}: no folder called train, and there is one for another split")
        self._asked = size
        self._files = {
            part: sorted(listed, key=lambda one: (one[1].name, one[0]))
            for part, listed in files.items()
        }
        self.parts = tuple(self._files)

    @classmethod
    def open(cls, place: Path, size: Size | None) -> Folders | None:
        """Open a folder that has folders with picture files."""
        if not place.is_dir():
            return None
        files: dict[Part, list[tuple[str, Path]]] = {}
        splits = _split_folders(place)
        beside = set(_folders(place)) - {folder for _, folder in splits} if splits else set()
        left_out = [
            f"{folder}: pictures beside the splits, in no class's folder"
            for folder in sorted(beside)
            if _has_pictures(folder)
        ]
        for part, folder in splits:
            if part in files:
                raise DataError(f"{place}: two folders for {part}; {folder.name} is one")
            files[part] = _of_classes(folder, left_out)
        files = files or {"train": _of_classes(place, left_out)}
        files = {part: listed for part, listed in files.items() if listed}
        return cls(place, files, size, left_out) if files else None

    @cached_property
    def sizes(self) -> Counter[Size]:
        """How many pictures have which height and width, of those whose headers can be read."""
        found = Counter(one.size for one in self._known.values() if one.size)
        if not found:
            raise DataError(f"{self.place}: no picture that can be read")
        ((usual, count),) = found.most_common(1)
        if 0 < found.total() - count <= FEW:
            # A damaged file may still say a size: it shall not change that of all others.
            for path, one in self._known.items():
                if one.size and one.size != usual and not can_be_decoded(path):
                    found[one.size] -= 1
        return +found

    @property
    def mixed(self) -> bool:
        """Whether pictures have to be resized: their sizes differ, or are too small or large."""
        ((height, width), _), *others = self.sizes.items()
        fits = SMALLEST_SIDE <= min(height, width) <= max(height, width) <= LARGEST_SIDE
        return bool(others) or not fits

    def read(self, part: Part) -> LabelledImages:
        """Return one split, from the cache where the same files were decoded before."""
        images, labels = self._decoded.parts[part]
        self.left_out = (*self._left_aside, *self._decoded.left_out)
        return checked(images, labels, self.class_names, self.place)

    @cached_property
    def _decoded(self) -> Decoded:
        own = DEFAULT_SIZE if self.mixed else next(iter(self.sizes))
        numbers = {name: number for number, name in enumerate(self.class_names)}
        files = {
            part: [
                PictureFile(path, numbers[name], self._known[path].digest) for name, path in listed
            ]
            for part, listed in self._files.items()
        }
        return decoded(files, self._asked or own, self.progress)

    @cached_property
    def _known(self) -> dict[Path, KnownFile]:
        paths = [path for listed in self._files.values() for _, path in listed]
        return dict(zip(paths, known_files(self.place, paths, self.progress), strict=True))


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
    # A name with a dot in front is hidden.
    return f"{HIDDEN}{name[1:]}" if name.startswith(".") else name


def _unescaped(name: str) -> str:
    if name.startswith(HIDDEN):
        name = "." + name.removeprefix(HIDDEN)
    for plain, escaped in reversed(ESCAPES):
        name = name.replace(escaped, plain)
    return name


def has_split_pictures(place: Path) -> bool:
    """Say whether a split's class folders at `place` have pictures."""
    return any(
        _has_pictures(one) for _, folder in _split_folders(place) for one in _folders(folder)
    )


def _split_folders(place: Path) -> list[tuple[Part, Path]]:
    """Return the folders at `place` that hold a split, and which.

    A split has folders in it; what has none is a class, even if it is called "train".
    """
    named = ((PART_NAMES.get(folder.name.lower()), folder) for folder in _folders(place))
    return [(part, folder) for part, folder in named if part and _folders(folder)]


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


def _of_classes(folder: Path, left_out: list[str]) -> list[tuple[str, Path]]:
    """List the picture files of each class folder in `folder`; say what lies too deep for it."""
    found = []
    for one in _folders(folder):
        entries = _entries(one)
        if not entries:
            left_out.append(f"{one}: a class's folder without a picture")
        left_out += [
            f"{entry.path}: neither a file nor a folder"
            for entry in entries
            if not entry.is_file() and not entry.is_dir()
        ]
        files = [Path(entry.path) for entry in entries if entry.is_file()]
        folders = [entry.path for entry in entries if entry.is_dir()]
        nested = [path for path in folders if _has_pictures(Path(path))]
        if nested and not files:
            raise DataError(
                f"{one}: nested too deep: pictures lie in train|val|test/<class>/ or in <class>/"
            )
        left_out += [f"{path}: pictures in a folder within a class's" for path in nested]
        found += [(_unescaped(one.name).strip(), path) for path in files]
        if len(found) > MAX_FILES:
            raise DataError(f"{folder}: more than {MAX_FILES:,} files")
    return found if any(is_picture_name(path) for _, path in found) else []


def _has_pictures(path: Path) -> bool:
    return path.is_dir() and any(is_picture_name(Path(entry.path)) for entry in _entries(path))
