"""The log: a line of JSON for each thing that happens, in the order in which it happened."""

from __future__ import annotations

import errno
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
        self._dropped = 0
        self._writing = threading.Thread(target=self._write, args=(descriptor,), daemon=True)
        self._writing.start()

    def __call__(self, line: dict[str, Any]) -> None:
        """Take a line in; the time is put before it."""
        if line["event"] == "request" and not self._requests:
            return
        if self._lines.qsize() >= LINES_WAITING:
            self._dropped += 1
            return
        self._tell_of_dropped()
        self._put(line)

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
        self._tell_of_dropped()
        self._lines.put(None)
        self._writing.join(seconds)

    def _tell_of_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._put({"event": "lines of the log were dropped", "lines": dropped})

    def _put(self, line: dict[str, Any]) -> None:
        told = {"time": round(time.time(), 3), **line}
        self._lines.put(json.dumps(told).encode() + b"\n")

    def _write(self, descriptor: int) -> None:
        # Past Python's own buffers: at its end, Python waits for whoever holds one of them.
        while (line := self._lines.get()) is not None:
            while line:
                try:
                    line = line[os.write(descriptor, line) :]
                except BlockingIOError:
                    select.select([], [descriptor], [])
                except OSError as error:
                    if error.errno in (errno.EPIPE, errno.EBADF):
                        # Whoever read the log is gone; answers matter more.
                        return
                    self._dropped += 1
                    break


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
