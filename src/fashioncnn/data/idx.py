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
from collections.abc import Collection
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

    Nothing is allocated before the size in the header was checked against `shapes`, `max_bytes`
    and the file's own size; a gzip stream is read no further than that size. Raises DataError when
    the file is not IDX, is cut short, is damaged, or holds more than it declares; StorageError
    when it cannot be read.
    """
    bounds = _Bounds(path, frozenset(shapes), max_bytes)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as stream:
                    return _read(cast(BinaryIO, stream), bounds, packed=True)
            return _read(file, bounds, packed=False)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip data is cut short or damaged ({error})") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None


@dataclass(frozen=True)
class _Bounds:
    path: Path
    shapes: frozenset[tuple[int, ...]]
    max_bytes: int


def _read(stream: BinaryIO, bounds: _Bounds, *, packed: bool) -> IdxFile:
    path = bounds.path
    header = stream.read(4)
    if len(header) < 4 or header[:2] != b"\0\0" or header[3] not in (1, 2, 3):
        raise DataError(
            f"{path}: not an IDX file (its first bytes are {header.hex() or 'missing'})"
        )
    if header[2] != UINT8:
        raise DataError(
            f"{path}: IDX elements of type 0x{header[2]:02x}; only 0x08 (uint8) is read"
        )
    axes = header[3]
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{path}: the file ends inside its header")
    shape = struct.unpack(f">{axes}I", sizes)
    count = math.prod(shape)
    header += sizes

    file_bytes = path.stat().st_size
    limit = min(bounds.max_bytes, file_bytes * DEFLATE_MAX_EXPANSION if packed else file_bytes)
    declared = " x ".join(map(str, shape))
    if bounds.shapes and shape not in bounds.shapes:
        known = " or ".join(" x ".join(map(str, one)) for one in sorted(bounds.shapes))
        raise DataError(f"{path}: the header declares {declared} elements; the set's have {known}")
    if len(header) + count > limit:
        raise DataError(
            f"{path}: the header declares {declared} = {count:,} elements, "
            f"but this file of {file_bytes:,} bytes can hold at most {limit - len(header):,}"
        )
    elements = np.empty(count, np.uint8)
    filled = 0
    while filled < count:
        read = stream.readinto(elements.data[filled:])  # type: ignore[attr-defined]
        if not read:
            raise DataError(
                f"{path}: cut short: {filled:,} of the {count:,} elements declared ({declared})"
            )
        filled += read
    if stream.read(1):
        raise DataError(f"{path}: holds more than the {declared} elements its header declares")
    sha = hashlib.sha256(header)
    sha.update(elements.data)
    return IdxFile(elements.reshape(shape), sha.hexdigest())


def write_idx(path: Path, elements: NDArray[np.uint8]) -> None:
    """Write `elements` as a plain IDX file."""
    header = bytes((0, 0, UINT8, elements.ndim)) + struct.pack(
        f">{elements.ndim}I", *elements.shape
    )
    path.write_bytes(header + np.ascontiguousarray(elements).tobytes())
