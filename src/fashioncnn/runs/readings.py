"""The count of times that a run looked at the test split; honest selection needs it low."""

from __future__ import annotations

from typing import Any

from fashioncnn.errors import RunError
from fashioncnn.runs import json_lines, provenance
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder


def record(run: Run, purpose: str, checkpoint: str) -> None:
    """Note, before it happens, that the test split is read for `purpose`."""
    make_folder(run.readings_file.parent)
    line = {"time": provenance.now(), "purpose": purpose, "checkpoint": checkpoint}
    json_lines.append(run.readings_file, line)


def read(run: Run) -> list[dict[str, Any]]:
    """Return every reading so far, oldest first. Raises RunError when a line is damaged."""
    lines = json_lines.read(run.readings_file)
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, dict) or not isinstance(line.get("purpose"), str):
            raise RunError(f"{run.readings_file}: line {number} is not a reading of test")
    return lines


def count(run: Run, purpose: str) -> int:
    """Return how often test was read for `purpose`."""
    return sum(line["purpose"] == purpose for line in read(run))
