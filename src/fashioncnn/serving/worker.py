"""The process that answers: it owns the sessions, reads jobs from a pipe, and batches them.

While one batch is computed the next one gathers, so that nothing waits for company. Files that
take long to read are read by threads beside.

Usage: python -m fashioncnn.serving.worker, with the limits and the places of bundles on its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from fashioncnn import standard_output
from fashioncnn.bundles.bundle import Bundle, open_bundle
from fashioncnn.errors import FashionCNNError
from fashioncnn.serving.answering import Ready, is_quick, read_pictures, reply_to
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.messages import UNFORESEEN, Job, Reply, pack, read

Waiting = tuple[int, Ready]
# Of the longest that reading took lately, from one to the next.
FADING = 0.9


class Worker:
    """Answers the jobs of `incoming` on `outgoing` until there are no more."""

    def __init__(
        self, bundles: dict[str, Bundle], limits: Limits, incoming: IO[bytes], outgoing: IO[bytes]
    ) -> None:
        self._bundles, self._limits = bundles, limits
        self._incoming, self._outgoing = incoming, outgoing
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._reading_seconds = 0.0

    def run(self) -> None:
        """Work until the other end is closed."""
        threading.Thread(target=self._receive, daemon=True).start()
        while (first := self._waiting.get()) is not None:
            batch = [first]
            pictures = len(first[1].images_NHWC)
            while pictures < self._limits.batch:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
                pictures += len(more[1].images_NHWC)
            self._answer(batch)

    def _receive(self) -> None:
        while (found := read(self._incoming)) is not None:
            number, head, body = found
            job = Job(body=body, **head)
            if is_quick(job, self._bundles[job.model].shape):
                self._read(number, job)
            else:
                self._pool.submit(self._read, number, job)
        self._pool.shutdown()
        self._waiting.put(None)

    def _read(self, number: int, job: Job) -> None:
        # With more to do than there is time for, the first would each be done a little too late.
        if job.is_late(self._reading_seconds):
            return
        started = time.monotonic()
        try:
            found = read_pictures(job, self._bundles[job.model], self._limits)
        except Exception as wrong:
            found = self._unforeseen(wrong)
        # Half of the time at most, or one that took all of it would be the last that is read.
        took = min(time.monotonic() - started, self._limits.answer_seconds / 2)
        self._reading_seconds = max(took, FADING * self._reading_seconds)
        if isinstance(found, Reply):
            self._send([(number, found)])
        else:
            self._waiting.put((number, found))

    def _answer(self, batch: list[Waiting]) -> None:
        by_model: dict[str, list[Waiting]] = {}
        for one in (one for one in batch if not one[1].job.is_late()):
            by_model.setdefault(one[1].job.model, []).append(one)
        for model, waiting in by_model.items():
            try:
                replies = reply_to([ready for _, ready in waiting], self._bundles[model])
            except Exception as wrong:
                if len(waiting) > 1:
                    # One of them spoils it for all.
                    for one in waiting:
                        self._answer([one])
                    continue
                replies = [self._unforeseen(wrong)]
            numbers = [number for number, _ in waiting]
            self._send(list(zip(numbers, replies, strict=True)))

    def _send(self, replies: list[tuple[int, Reply]]) -> None:
        content = b"".join(pack(number, reply) for number, reply in replies)
        try:
            with self._writing:
                self._outgoing.write(content)
                self._outgoing.flush()
        except BrokenPipeError:
            # The process that asks is gone.
            os._exit(1)

    def _unforeseen(self, wrong: Exception) -> Reply:
        # What happened stays here; the client gets one sentence.
        line = {
            "level": "error",
            "event": "job failed",
            "error": f"{type(wrong).__name__}: {wrong}",
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
        return UNFORESEEN


def command() -> list[str]:
    """Return the command line of a worker."""
    return [sys.executable, "-m", "fashioncnn.serving.worker"]


def first_line(bundles: dict[str, Path], limits: Limits, threads: int) -> bytes:
    """Return what a worker is told first, to be read by `main`."""
    told = {"bundles": {name: str(path) for name, path in bundles.items()}}
    return json.dumps(told | {"limits": asdict(limits), "threads": threads}).encode() + b"\n"


def main() -> None:
    """Open the bundles, say that they are, and answer."""
    # Ctrl-C and SIGTERM are for the process that asks: it closes the pipe once all is answered.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    incoming, outgoing = sys.stdin.buffer, standard_output.taken()
    told: dict[str, Any] = json.loads(incoming.readline())
    limits = Limits(**told["limits"])
    # What asks for more ends this process, which is started again, and not the machine.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limits.worker_memory_bytes,) * 2)
    try:
        bundles = {
            name: open_bundle(Path(path), told["threads"]) for name, path in told["bundles"].items()
        }
        for bundle in bundles.values():
            _ = bundle.session
    except FashionCNNError as wrong:
        outgoing.write(json.dumps({"error": str(wrong)}).encode() + b"\n")
        outgoing.flush()
        return
    outgoing.write(b'{"ready": true}\n')
    outgoing.flush()
    Worker(bundles, limits, incoming, outgoing).run()
    # Threads that the sessions own may be waiting; there is nothing left to save.
    os._exit(0)


if __name__ == "__main__":
    main()
