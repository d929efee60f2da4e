"""Files that grow by a line of JSON at a time, each complete on the disk before work goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs.files import parse_json

MAX_BYTES = 64 << 20
# A file is looked at from its end in steps of this.
BLOCK = 1 << 16


def append(path: Path, record: Mapping[str, object]) -> None:
    """Add one line and bring it to the disk. Raises StorageError when the disk refuses.

    What a kill left of an unfinished line is cut off first.
    """
    try:
        with path.open("ab+") as file:
            file.truncate(whole_end(file))
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None


def read(path: Path) -> list[Any]:
    """Return the records, oldest first; an unfinished last line is left out, as is a missing file.

    Raises RunError when another line is damaged.
    """
    try:
        if not path.exists():
            return []
        if not path.is_file():
            raise RunError(f"{path}: no plain file")
        if path.stat().st_size > MAX_BYTES:
            raise RunError(f"{path}: larger than {MAX_BYTES:,} bytes")
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(parse_json(line))
        except ValueError:
            raise RunError(f"{path}: line {number} is damaged, or not JSON") from None
    return records


def whole_end(file: BinaryIO) -> int:
    """Return the position behind the last line of an open file that ended."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
