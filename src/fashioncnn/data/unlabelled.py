"""Grey pictures without labels, from whatever a user has: an IDX file, a picture, a folder."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fashioncnn.data.idx import read_idx
from fashioncnn.errors import DataError, StorageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
SIDE = 28
MAX_PICTURES = 100_000
MAX_PIXELS = 50_000_000


def read_pictures(path: Path) -> NDArray[np.uint8]:
    """Return the pictures at `path` as uint8 (n, 28, 28).

    An IDX file holds them as they are; picture files, alone or anywhere below a folder, become
    grey and are scaled to fit. Nothing else is done to them: light on dark is what the networks
    know. Raises DataError when there is none, too many, or one that is damaged, too large or of
    another size; StorageError when the disk does not give one.
    """
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError(f"{path}: no picture in it ({', '.join(SUFFIXES)})")
        if len(files) > MAX_PICTURES:
            raise DataError(f"{path}: {len(files):,} pictures; at most {MAX_PICTURES:,} are read")
        return np.stack([_read(file) for file in files])
    if path.suffix.lower() in SUFFIXES:
        return _read(path)[None]
    images = read_idx(path).elements
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        size = " x ".join(map(str, images.shape))
        raise DataError(f"{path}: {size} elements; pictures are n x {SIDE} x {SIDE}, n at least 1")
    return images


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            # Our own bound is lower than the one that Pillow warns at.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DataError(
                        f"{path}: {picture.width} x {picture.height} pixels; at most "
                        f"{MAX_PIXELS:,} are read"
                    )
                grey = ImageOps.pad(picture.convert("L"), (SIDE, SIDE), Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError):
        raise DataError(f"{path}: not a picture, or damaged") from None
    except OSError as error:
        if error.errno is None:  # Pillow's word for a file that is cut short
            raise DataError(f"{path}: damaged ({error})") from None
        raise StorageError.from_os_error("read", path, error) from None
    return np.array(grey, np.uint8)
