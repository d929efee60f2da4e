"""Writing files whole or not at all: beside, fsync, rename."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import RunError, StorageError

MAX_JSON_BYTES = 64 << 20


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path`; a crash leaves the old file or the new one, never a part.

    Raises StorageError when the disk refuses; nothing is left beside the old file then.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            sync_folder(path.parent)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` as UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode())


def make_folder(path: Path) -> Path:
    """Make the folder `path` where it is not there yet. Raises StorageError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.from_os_error("make", path, error) from None
    return path


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put named arrays at `path` as a compressed .npz; see `write_bytes`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an .npz, never unpickling. Raises RunError when it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise RunError(f"{path}: damaged") from None


def to_json(value: object) -> str:
    """Return `value` as JSON that people can read too."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Read JSON from a file of bounded size. Raises RunError when it is missing or is not JSON."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise RunError(f"{path}: larger than {MAX_JSON_BYTES:,} bytes")
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except (ValueError, RecursionError):
        raise RunError(f"{path}: damaged, or not JSON") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
