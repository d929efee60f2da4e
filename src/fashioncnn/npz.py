"""Arrays in an .npz file, never unpickled, and checked before anything is allocated."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fashioncnn.errors import FashionCNNError, StorageError

Arrays = dict[str, NDArray[Any]]
MAX_ARRAYS = 4096


def read(
    path: Path,
    max_bytes: int,
    error_type: type[FashionCNNError],
    names: Collection[str] | None = None,
) -> Arrays:
    """Read the arrays of a file, or those of these `names`.

    Raises `error_type` when it is missing, damaged or too large; StorageError when the disk does
    not give it.
    """
    with _opened(path, max_bytes, error_type) as (archive, by_name):
        return {
            name: _array(archive, member)
            for name, member in by_name.items()
            if names is None or name in names
        }


def names_in(path: Path, max_bytes: int, error_type: type[FashionCNNError]) -> set[str]:
    """Return the names of the arrays of a file; see `read`."""
    with _opened(path, max_bytes, error_type) as (_, by_name):
        return set(by_name)


@contextmanager
def _opened(
    path: Path, max_bytes: int, error_type: type[FashionCNNError]
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    try:
        if path.exists() and not path.is_file():
            raise error_type(f"{path}: no plain file")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS or sum(one.file_size for one in members) > max_bytes:
                raise error_type(f"{path}: more than {MAX_ARRAYS} arrays or {max_bytes:,} bytes")
            yield archive, {one.filename.removesuffix(".npy"): one for one in members}
    except FileNotFoundError:
        raise error_type(f"{path} is missing") from None
    except FashionCNNError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise StorageError.from_os_error("read", path, error) from None
        raise error_type(f"{path}: damaged") from None
    except Exception:
        # What zipfile, zlib and numpy raise for hostile files has no type in common.
        raise error_type(f"{path}: damaged") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        shape, fortran, dtype = _header(file)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != member.file_size - file.tell():
            raise ValueError("not the size that its header declares")
        content = bytearray(size)
        filled = 0
        while filled < size:
            # It makes a copy of each piece, so that pieces are small.
            piece = memoryview(content)[filled : filled + (1 << 20)]
            read = file.readinto(piece)  # type: ignore[attr-defined]
            if not read:
                raise ValueError("cut short")
            filled += read
        values = np.frombuffer(content, dtype)
        return values.reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(file) == (1, 0):
        header = npy.read_array_header_1_0(file)
    else:
        header = npy.read_array_header_2_0(file)
    shape, fortran, dtype = header
    return shape, fortran, dtype
