"""The IDX format of MNIST's files, plain or gzipped, read within bounds.

An IDX file is a 4-byte magic number (0, 0, element type, number of axes), one big-endian
uint32 an axis, then the elements (http://yann.lecun.com/exdb/mnist, "The IDX file format").
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import DataError, StorageError

MAX_BYTES = 1 << 30
GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot expand more than this (RFC 1951: 258 bytes for a 2-bit code).
DEFLATE_MAX_EXPANSION = 1032
UINT8 = 8


@dataclass(frozen=True)
class IdxFile:
    """The elements of one IDX file, and the SHA-256 of its decompressed bytes."""

    elements: NDArray[np.uint8]
    sha256: str


def read_idx(
    path: Path, *, shapes: Collection[tuple[int, ...]] = (), max_bytes: int = MAX_BYTES
) -> IdxFile:
    """Read an IDX file of uint8 elements, gzipped or not; with `shapes`, of one of these alone.

    Nothing is allocated before the size in the header was checked against `shapes`, `max_bytes` of
    elements and the file's own size; a gzip stream is read no further than that size. Raises
    DataError when the file is not IDX, is cut short, is damaged, or holds more than it declares;
    StorageError when it cannot be read.
    """
    with _opened(path) as (stream, packed):
        header, shape = _header(stream, path)
        if shapes and shape not in shapes:
            known = " or ".join(_written(one) for one in sorted(shapes))
            raise DataError(
                f"{path}: the header declares {_written(shape)} elements; the set's have {known}"
            )
        count = math.prod(shape)
        file_bytes = path.stat().st_size
        held = (file_bytes * DEFLATE_MAX_EXPANSION if packed else file_bytes) - len(header)
        if count > (most := min(max_bytes, held)):
            raise DataError(
                f"{path}: the header declares {_written(shape)} = {count:,} elements, "
                f"but this file of {file_bytes:,} bytes can hold at most {most:,}"
            )
        return _elements(stream, path, header, shape)


def read_shape(path: Path) -> tuple[int, ...]:
    """Return the shape that an IDX file declares; see `read_idx`."""
    with _opened(path) as (stream, _):
        return _header(stream, path)[1]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open `path`; say whether it is gzipped."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            if not packed:
                yield file, False
                return
            with gzip.GzipFile(fileobj=file) as stream:
                yield cast(BinaryIO, stream), True
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip data is cut short or damaged ({error})") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None


def _header(stream: BinaryIO, path: Path) -> tuple[bytes, tuple[int, ...]]:
    """Read the header; return its bytes and the shape that it declares."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] not in (1, 2, 3):
        raise DataError(f"{path}: not an IDX file (its first bytes are {magic.hex() or 'missing'})")
    if magic[2] != UINT8:
        raise DataError(f"{path}: IDX elements of type 0x{magic[2]:02x}; only 0x08 (uint8) is read")
    axes = magic[3]
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{path}: the file ends inside its header")
    return magic + sizes, struct.unpack(f">{axes}I", sizes)


def _elements(stream: BinaryIO, path: Path, header: bytes, shape: tuple[int, ...]) -> IdxFile:
    count = math.prod(shape)
    elements = np.empty(count, np.uint8)
    filled = 0
    while filled < count:
        read = stream.readinto(elements.data[filled:])  # type: ignore[attr-defined]
        if not read:
            raise DataError(
                f"{path}: cut short: {filled:,} of the {count:,} elements declared "
                f"({_written(shape)})"
            )
        filled += read
    if stream.read(1):
        raise DataError(
            f"{path}: holds more than the {_written(shape)} elements its header declares"
        )
    sha = hashlib.sha256(header)
    sha.update(elements.data)
    return IdxFile(elements.reshape(shape), sha.hexdigest())


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def write_idx(path: Path, elements: NDArray[np.uint8]) -> None:
    """Write `elements` as a plain IDX file."""
    header = bytes((0, 0, UINT8, elements.ndim)) + struct.pack(
        f">{elements.ndim}I", *elements.shape
    )
    path.write_bytes(header + np.ascontiguousarray(elements).tobytes())
