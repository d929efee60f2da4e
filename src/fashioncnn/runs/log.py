"""metrics.jsonl: a line an epoch, each complete on disk before the next checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs.files import write_text


def append(path: Path, record: Mapping[str, object]) -> None:
    """Add one line and bring it to the disk. Raises StorageError when the disk refuses."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records, oldest first; a torn last line is left out.

    Raises RunError when another line is damaged.
    """
    try:
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError):
        raise RunError(f"{path}: damaged") from None
    records = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = json.loads(line)
            if record["epoch"] != number:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise RunError(f"{path}: line {number} is not the record of epoch {number}") from None
        records.append(record)
    return records


def trim(path: Path, epochs: int) -> list[dict[str, Any]]:
    """Cut the log back to its first `epochs` records and return them.

    What was logged after the last checkpoint is trained and logged again. Raises RunError when
    the log has fewer.
    """
    records = read(path)
    if len(records) < epochs:
        raise RunError(f"{path}: has {len(records)} epochs, the checkpoint has {epochs}")
    write_text(path, "".join(json.dumps(record) + "\n" for record in records[:epochs]))
    return records[:epochs]
