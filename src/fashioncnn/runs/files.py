"""Writing files whole or not at all: beside, fsync, rename."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from fashioncnn.errors import RunError, StorageError

MAX_JSON_BYTES = 8 << 20


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path`; a crash leaves the old file or the new one, never a part.

    Raises StorageError when the disk refuses; nothing is left beside the old file then.
    """
    beside = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        if path.exists() and not path.is_file():
            # Root could put a file in the place of a device.
            raise StorageError(f"cannot write {path}: it is there, and no file")
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
    """Put `text` at `path` as UTF-8; see `write_bytes`.

    Names of files that are no UTF-8 are written with escapes.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def make_folder(path: Path) -> Path:
    """Make the folder `path` where it is not there yet. Raises StorageError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.from_os_error("make", path, error) from None
    return path


def to_json(value: object) -> str:
    """Return `value` as JSON that people can read too."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # The name of a file that is no UTF-8 keeps its meaning in JSON's own escapes.
        text = json.dumps(value, indent=2, allow_nan=False)
    return text + "\n"


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read JSON from a file of bounded size. Raises RunError when it is missing or is not JSON."""
    try:
        if path.exists() and not path.is_file():
            # A pipe could keep us waiting for ever.
            raise RunError(f"{path}: no plain file")
        if path.stat().st_size > max_bytes:
            raise RunError(f"{path}: larger than {max_bytes:,} bytes")
        return parse_json(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except ValueError:
        raise RunError(f"{path}: damaged, or not JSON") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None


def parse_json(content: bytes) -> Any:
    """Return what JSON says. Raises ValueError for all else, NaN and endless nesting among it."""
    try:
        return json.loads(content, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"{text[:20]} is too large")
    return value
