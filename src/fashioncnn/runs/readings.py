"""The count of times that a run looked at the test split; honest selection needs it low."""

from __future__ import annotations

import json
import os
from typing import Any

from fashioncnn.errors import StorageError
from fashioncnn.runs import provenance
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder


def record(run: Run, purpose: str, checkpoint: str) -> None:
    """Note, before it happens, that the test split is read for `purpose`."""
    path = run.evaluation / "test_readings.jsonl"
    line = {"time": provenance.now(), "purpose": purpose, "checkpoint": checkpoint}
    make_folder(path.parent)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None


def read(run: Run) -> list[dict[str, Any]]:
    """Return every reading so far, oldest first."""
    path = run.evaluation / "test_readings.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
