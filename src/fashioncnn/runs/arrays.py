"""Named arrays as a compressed .npz, never unpickled, and checked before anything is allocated."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fashioncnn.errors import FashionCNNError, RunError, StorageError
from fashioncnn.runs.files import write_bytes

Arrays = dict[str, NDArray[Any]]
MAX_BYTES = 160 << 20
MAX_ARRAYS = 4096


@dataclass(frozen=True)
class Spec:
    """What an array has to be: the kind of its elements, its axes, its bounds.

    `kind` is numpy's: "f" (finite), "i", "u", "U", "b". An axis is a length, or a letter that
    stands for the same length in every array of the file, or "." for any length, or "…" for any
    number of axes. With `below`, elements are indices: at least 0, and below that letter's length.
    """

    kind: str
    axes: tuple[int | str, ...] = ()
    below: str = ""


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put named arrays at `path`; a crash leaves the old file or the new one, never a part."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read(path: Path) -> Arrays:
    """Read named arrays. Raises RunError when the file is missing, damaged or too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS or sum(one.file_size for one in members) > MAX_BYTES:
                raise RunError(f"{path}: more than {MAX_ARRAYS} arrays or {MAX_BYTES:,} bytes")
            return {
                member.filename.removesuffix(".npy"): _array(archive, member) for member in members
            }
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except FashionCNNError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise StorageError.from_os_error("read", path, error) from None
        raise RunError(f"{path}: damaged") from None
    except Exception:
        # What zipfile, zlib and numpy raise for hostile files has no type in common.
        raise RunError(f"{path}: damaged") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        shape, fortran, dtype = _header(file)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != member.file_size - file.tell():
            raise ValueError("not the size that its header declares")
        values = np.frombuffer(bytearray(file.read(size)), dtype)
        return values.reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(file) == (1, 0):
        header = npy.read_array_header_1_0(file)
    else:
        header = npy.read_array_header_2_0(file)
    shape, fortran, dtype = header
    return shape, fortran, dtype


def fault(arrays: Arrays, specs: Mapping[str, Spec]) -> str | None:
    """Say what of `arrays` is not as `specs` have it, or None.

    A name of `specs` that ends in "*" is of any number of arrays, also none; all others are needed.
    """
    lengths: dict[str, int] = {}
    for name, spec in specs.items():
        if name.endswith("*"):
            found = [one for one in arrays if one.startswith(name[:-1])]
        elif name not in arrays:
            return f"without {name}"
        else:
            found = [name]
        for one in found:
            if not _fits(arrays[one], spec, lengths):
                return f"{one} is {arrays[one].dtype} {arrays[one].shape}, or out of bounds"
    for name, spec in specs.items():
        for one in [name] if name in arrays else []:
            values = arrays[one]
            if spec.below and values.size and int(values.max()) >= lengths.get(spec.below, 0):
                return f"{one} is out of bounds"
    return None


def _fits(values: NDArray[Any], spec: Spec, lengths: dict[str, int]) -> bool:
    if values.dtype.kind != spec.kind:
        return False
    if spec.kind == "f" and not np.isfinite(values).all():
        return False
    if spec.below and values.size and int(values.min()) < 0:
        return False
    if spec.axes[-1:] == ("…",):
        axes, shape = spec.axes[:-1], values.shape[: len(spec.axes) - 1]
    else:
        axes, shape = spec.axes, values.shape
    if len(axes) != len(shape):
        return False
    for axis, length in zip(axes, shape, strict=True):
        if isinstance(axis, int):
            if axis != length:
                return False
        elif axis != "." and lengths.setdefault(axis, length) != length:
            return False
    return True
