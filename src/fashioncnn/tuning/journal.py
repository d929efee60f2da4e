"""The journal of a study: Optuna's records, a line each, in a file that outlives any crash.

A record is whole once its line has ended. What a killed writer left of one is never read, and is
cut off before the next is written; the lock is the system's, so that it dies with its process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.storages.journal import BaseJournalBackend

from fashioncnn.errors import StorageError, StudyError
from fashioncnn.runs.json_lines import whole_end

MAX_BYTES = 1 << 30


class Journal(BaseJournalBackend):
    """Records in the file `path`, made when missing. Raises StorageError, StudyError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(f"{path}.lock")
        # Where records begin that were read: what was read once is not read again.
        self._offsets = [0]
        try:
            path.touch()
        except OSError as error:
            raise StorageError.from_os_error("make", path, error) from None

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add records, on the disk when this returns."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        try:
            with self._lock, self.path.open("r+b") as file:
                end = whole_end(file)
                file.truncate(end)
                file.seek(end)
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError.from_os_error("write", self.path, error) from None

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the whole records from that number on."""
        try:
            if self.path.stat().st_size > MAX_BYTES:
                raise StudyError(f"{self.path}: larger than {MAX_BYTES:,} bytes")
            number = min(log_number_from, len(self._offsets) - 1)
            with self.path.open("rb") as file:
                file.seek(self._offsets[number])
                lines = file.read().split(b"\n")[:-1]
        except OSError as error:
            raise StorageError.from_os_error("read", self.path, error) from None
        for at, line in enumerate(lines, start=number):
            if at + 1 == len(self._offsets):
                self._offsets.append(self._offsets[at] + len(line) + 1)
            if at >= log_number_from:
                yield self._record(at, line)

    def _record(self, at: int, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise StudyError(f"{self.path}: line {at + 1} is damaged")
        return record
