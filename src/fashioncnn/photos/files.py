"""Picture files of any kind, read within bounds: upright, 8 bits a channel, grey or colour."""

from __future__ import annotations

import io
import itertools
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashioncnn.errors import DataError, StorageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# What cameras write and is not read.
OTHER_PHOTOGRAPHS = (".heic", ".heif", ".avif", ".jxl")
OTHER_SUFFIXES = (*OTHER_PHOTOGRAPHS, ".svg", ".pdf")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 256 << 20
# A JPEG is decoded anew for each scan; progressive ones have about ten. The marker is followed by
# the length of its header and the number of its channels, so other data hardly ever look like it.
SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
MAX_SCANS = 100
# Pillow's modes for one channel of more than 8 bits, and for real numbers.
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I")
REAL_MODE = "F"
GREY_MODES = ("1", "L", "LA", "La", *DEEP_MODES, REAL_MODE)


def picture_files(folder: Path, at_most: int, suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """Return the files anywhere below `folder` whose names end so, by name.

    Raises DataError when there is none, or more than `at_most`.
    """
    found = (one for one in folder.rglob("*") if one.suffix.lower() in suffixes and one.is_file())
    files = sorted(itertools.islice(found, at_most + 1))
    if not files:
        raise DataError(f"{folder}: no picture in it ({', '.join(SUFFIXES)})")
    if len(files) > at_most:
        raise DataError(f"{folder}: more than {at_most:,} pictures")
    return files


def is_picture_name(path: Path) -> bool:
    """Say whether a file's name ends as a picture's does."""
    return path.suffix.lower() in SUFFIXES


def read_picture(path: Path, side: int | None = None) -> Image.Image:
    """Return the picture in a file: mode "L" where it is grey, else "RGB".

    It is turned upright as its EXIF data say, and black where it is transparent; of an animation it
    is the first frame; 16 bits and real numbers become 8. A JPEG may come at a half, a quarter or
    an eighth of its size, but not below `side` pixels along its shorter edge. Raises DataError when
    it is damaged, too large or no picture; StorageError when the disk does not give it.
    """
    if path.exists() and not path.is_file():
        # A pipe or a device could keep us waiting for ever.
        raise DataError(f"{path}: neither a file nor a folder")
    with _one_line(str(path)):
        content = content_of(path)
    return read_picture_bytes(content, str(path), side)


def content_of(path: Path) -> bytes:
    """Return a file's content. Raises DataError where it is too large, OSError as reading does."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes")
    return path.read_bytes()


def read_picture_bytes(
    content: bytes,
    name: str,
    side: int | None = None,
    max_pixels: int | None = None,
    formats: tuple[str, ...] = FORMATS,
) -> Image.Image:
    """Return the picture that `content` is a file of; see `read_picture`."""
    with _one_line(name, max_pixels):
        if sum(1 for _ in itertools.islice(SCAN.finditer(content), MAX_SCANS + 1)) > MAX_SCANS:
            raise DataError(f"{name}: more than {MAX_SCANS} scans")
        return _read(content, name, side, max_pixels, formats)


def stretched(picture: Image.Image, height: int, width: int) -> Image.Image:
    """Return a picture of exactly this size; each pixel is the mean of those that it stands for."""
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)


class Unwarned:
    """No warning is shown while a thread is inside.

    Python's own way puts back what it found, which is another thread's while that is inside.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._kept = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._kept = warnings.catch_warnings()
                self._kept.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._kept.__exit__(None, None, None)


# What Pillow finds odd about a file is nothing that its owner can do much about.
UNWARNED = Unwarned()


@contextmanager
def _one_line(name: str, max_pixels: int | None = None) -> Iterator[None]:
    """Make whatever goes wrong one line that names the file."""
    try:
        with UNWARNED:
            yield
    except DataError:
        raise
    except Image.DecompressionBombError:
        raise DataError(
            f"{name}: too many pixels; at most {max_pixels or MAX_PIXELS:,} are read"
        ) from None
    except MemoryError:
        raise DataError(f"{name}: too large for the memory") from None
    except Exception as error:
        # What Pillow raises for damaged and hostile files has no type in common.
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError.from_os_error("read", name, error) from None
        suffix = Path(name).suffix.lower()
        if suffix in OTHER_SUFFIXES:
            raise DataError(
                f"{name}: {suffix[1:].upper()} files are not read; save it as JPEG or PNG"
            ) from None
        raise DataError(f"{name}: not a picture, or damaged") from None


def _read(
    content: bytes, name: str, side: int | None, max_pixels: int | None, formats: tuple[str, ...]
) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=formats) as picture:
        most = max_pixels or MAX_PIXELS
        if picture.width * picture.height > most:
            raise DataError(
                f"{name}: {picture.width} x {picture.height} pixels; at most {most:,} are read"
            )
        if side is not None and picture.format == "JPEG":
            picture.draft(picture.mode, (side, side))
        return _eight_bits(ImageOps.exif_transpose(picture), name)


def _eight_bits(picture: Image.Image, name: str) -> Image.Image:
    grey = picture.mode in GREY_MODES
    if picture.mode in DEEP_MODES:
        values = np.asarray(picture, np.float32)
        # Sixteen bits a pixel, unless no pixel needs more than eight.
        return Image.fromarray(_as_bytes(values, 65535.0 if values.max() > 255 else 255.0, name))
    if picture.mode == REAL_MODE:
        values = np.asarray(picture, np.float32)
        return Image.fromarray(_as_bytes(values, 255.0 if values.max() > 1 else 1.0, name))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        see_through = picture.convert("RGBA")
        black = Image.new("RGBA", see_through.size, "black")
        return Image.alpha_composite(black, see_through).convert("L" if grey else "RGB")
    return picture.convert("L" if grey else "RGB")


def _as_bytes(values: NDArray[np.float32], white: float, name: str) -> NDArray[np.uint8]:
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > white:
        raise DataError(
            f"{name}: pixels from {values.min():g} to {values.max():g}; they must lie in 0 to 1, "
            "0 to 255 or 0 to 65535"
        )
    return np.asarray(np.rint(values * (255 / white)), np.uint8)
