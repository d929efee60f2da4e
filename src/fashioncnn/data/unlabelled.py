"""Grey pictures without labels, from whatever a user has: an IDX file, a picture, a folder."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashioncnn.data.idx import read_idx
from fashioncnn.errors import DataError, StorageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
SIDE = 28
MAX_PICTURES = 100_000
MAX_PIXELS = 50_000_000
# Pillow's modes for one channel of more than 8 bits, and for real numbers.
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I")
REAL_MODE = "F"


def read_pictures(path: Path) -> NDArray[np.uint8]:
    """Return the pictures at `path` as uint8 (n, 28, 28).

    An IDX file holds them as they are; picture files, alone or anywhere below a folder, are turned
    upright as their EXIF data say, become grey, black where they are transparent, and are scaled to
    fit. Nothing else is done to them: light on dark is what the networks know. Raises DataError
    when there is none, too many, or one that is damaged, too large or of another size;
    StorageError when the disk does not give one.
    """
    if path.is_dir():
        found = (one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        files = sorted(itertools.islice(found, MAX_PICTURES + 1))
        if not files:
            raise DataError(f"{path}: no picture in it ({', '.join(SUFFIXES)})")
        if len(files) > MAX_PICTURES:
            raise DataError(f"{path}: more than {MAX_PICTURES:,} pictures")
        return np.stack([_read(file) for file in files])
    if path.exists() and not path.is_file():
        # A pipe or a device could keep us waiting for ever.
        raise DataError(f"{path}: neither a file nor a folder")
    if path.suffix.lower() in SUFFIXES:
        return _read(path)[None]
    images = read_idx(path, max_bytes=MAX_PICTURES * SIDE * SIDE).elements
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        size = " x ".join(map(str, images.shape))
        raise DataError(f"{path}: {size} elements; pictures are n x {SIDE} x {SIDE}, n at least 1")
    return images


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            # What Pillow finds odd about a file is nothing that its owner can do much about.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DataError(
                        f"{path}: {picture.width} x {picture.height} pixels; at most "
                        f"{MAX_PIXELS:,} are read"
                    )
                grey = _grey(ImageOps.exif_transpose(picture), path)
                small = ImageOps.pad(grey, (SIDE, SIDE), Image.Resampling.BILINEAR)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise StorageError.from_os_error("read", path, error) from None
    except DataError:
        raise
    except Exception as error:
        # What Pillow raises for damaged and hostile files has no type in common.
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError.from_os_error("read", path, error) from None
        raise DataError(f"{path}: not a picture, or damaged") from None
    return np.array(small, np.uint8)


def _grey(picture: Image.Image, path: Path) -> Image.Image:
    """Return the picture with 8 bits of grey a pixel."""
    if picture.mode in DEEP_MODES:
        values = np.asarray(picture, np.float64)
        # Sixteen bits a pixel, unless no pixel needs more than eight.
        return Image.fromarray(_as_bytes(values, 65535.0 if values.max() > 255 else 255.0, path))
    if picture.mode == REAL_MODE:
        values = np.asarray(picture, np.float64)
        return Image.fromarray(_as_bytes(values, 255.0 if values.max() > 1 else 1.0, path))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        see_through = picture.convert("RGBA")
        black = Image.new("RGBA", see_through.size, "black")
        return Image.alpha_composite(black, see_through).convert("L")
    return picture.convert("L")


def _as_bytes(values: NDArray[np.float64], white: float, path: Path) -> NDArray[np.uint8]:
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > white:
        raise DataError(
            f"{path}: pixels from {values.min():g} to {values.max():g}; they must lie in 0 to 1, "
            "0 to 255 or 0 to 65535"
        )
    return np.asarray(np.rint(values * (255 / white)), np.uint8)
