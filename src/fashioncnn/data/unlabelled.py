"""Grey pictures without labels, from whatever a user has: an IDX file, a picture, a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashioncnn.data.idx import read_idx
from fashioncnn.errors import DataError
from fashioncnn.photos.files import is_picture_name, picture_files, read_picture

MAX_PICTURES = 100_000


def read_pictures(path: Path, *, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return the pictures at `path` as uint8 (n, height, width, channels).

    An IDX file holds them as they are; picture files, alone or anywhere below a folder, become grey
    or colour, and are scaled to fit, with black beside them. Nothing else is done to them: light on
    dark is what networks of Fashion-MNIST know. Raises DataError when there is none, too many, or
    one that is damaged, too large or of another size; StorageError when the disk does not give one.
    """
    shape = (height, width, channels)
    if path.is_dir():
        return np.stack([_fitted(file, shape) for file in picture_files(path, MAX_PICTURES)])
    if not path.exists():
        raise DataError(f"{path}: nothing is there")
    if not path.is_file():
        # A pipe or a device could keep us waiting for ever.
        raise DataError(f"{path}: neither a file nor a folder")
    if is_picture_name(path):
        return _fitted(path, shape)[None]
    images = read_idx(path, max_bytes=MAX_PICTURES * height * width).elements
    if images.ndim != 3 or images.shape[1:] != (height, width) or not len(images):
        size = " x ".join(map(str, images.shape))
        raise DataError(f"{path}: {size} elements; pictures are n x {height} x {width}, n over 0")
    return np.repeat(images[..., None], channels, axis=3)


def _fitted(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    height, width, channels = shape
    picture = read_picture(path).convert("L" if channels == 1 else "RGB")
    small = ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR)
    return np.array(small, np.uint8).reshape(shape)
