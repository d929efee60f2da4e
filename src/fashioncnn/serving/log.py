"""The log: a line of JSON for each thing that happens, in the order in which it happened."""

from __future__ import annotations

import json
import logging
import os
import queue
import select
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

LINES_WAITING = 10_000
CLOSING_SECONDS = 1.0


class Log:
    """Writes lines to the open file `descriptor`, by a thread of its own.

    Whoever reads them slowly, or not at all, holds no answer up: where LINES_WAITING wait, further
    ones are dropped, and how many is told once there is room. Without `requests`, those lines that
    tell of one are left out.
    """

    def __init__(self, descriptor: int, *, requests: bool = True) -> None:
        self._requests = requests
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._dropped, self._counting = 0, threading.Lock()
        self._writing = threading.Thread(target=self._write, args=(descriptor,), daemon=True)
        self._writing.start()

    def __call__(self, line: dict[str, Any]) -> None:
        """Take a line in; the time is put before it."""
        if line["event"] == "request" and not self._requests:
            return
        if self._lines.qsize() >= LINES_WAITING:
            self._count_dropped(1)
        else:
            self._lines.put(_as_bytes(line))

    def text(self, text: str) -> None:
        """Take in what a process wrote: JSON with an event as it is, all else as a message."""
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict) and "event" in line:
                self(line)
                return
        self({"event": "message", "message": text})

    @contextmanager
    def messages(self) -> Iterator[None]:
        """Take in what libraries log and warn of, while inside."""
        handler, root = _Messages(self), logging.getLogger()
        root.addHandler(handler)
        logging.captureWarnings(True)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.removeHandler(handler)

    def close(self, seconds: float = CLOSING_SECONDS) -> None:
        """Write what waits, for so many seconds at most."""
        self._lines.put(None)
        self._writing.join(seconds)

    def _count_dropped(self, lines: int) -> None:
        with self._counting:
            self._dropped += lines

    def _write(self, descriptor: int) -> None:
        line: bytes | None = b""
        while line is not None:
            line = self._lines.get()
            if dropped := self._dropped:
                told = {"event": "lines of the log were dropped", "lines": dropped}
                if _written(descriptor, _as_bytes(told)):
                    self._count_dropped(-dropped)
            if line and not _written(descriptor, line):
                self._count_dropped(1)


def _as_bytes(line: dict[str, Any]) -> bytes:
    return json.dumps({"time": round(time.time(), 3), **line}).encode() + b"\n"


def _written(descriptor: int, line: bytes) -> bool:
    """Write a line, past Python's buffers: at its end, Python waits for whoever holds one."""
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except OSError:
            # The disk is full, or whoever read the log is gone: answers matter more.
            return False
    return True


class _Messages(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):
            line = {"level": record.levelname.lower(), "event": "message"}
            line["message"] = record.getMessage()
            if record.exc_info:
                line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
            self._log(line)
