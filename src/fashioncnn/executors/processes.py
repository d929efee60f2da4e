"""Processes of this machine, each with its share of the processor."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fashioncnn.errors import WorkerError
from fashioncnn.executors.base import Done, Job, Judge
from fashioncnn.executors.messages import Message, receive, send, unpack_error

POLL_SECONDS = 0.2
# A job whose process was killed is begun anew so often.
RETRIES = 3


@dataclass(frozen=True)
class Processes:
    """See Executor. `count` processes; a job whose process is killed is begun anew."""

    count: int
    shares_disk: bool = True

    def __post_init__(self) -> None:
        """Raise WorkerError for none."""
        if self.count < 1:
            raise WorkerError(f"Processes({self.count}): it must be 1 or more")

    @contextmanager
    def open(self, folder: Path) -> Iterator[RunningProcesses]:
        """See Executor."""
        running = RunningProcesses(self.count, folder)
        try:
            yield running
        finally:
            running.end()


@dataclass
class _Worker:
    """A process, and the job that it has, if any."""

    process: subprocess.Popen[str]
    job: Job | None = None
    attempt: int = 0
    listener: threading.Thread | None = None

    def hang_up(self) -> None:
        """Let it hear no more."""
        if self.process.stdin:
            # What it never read goes nowhere.
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def close(self) -> None:
        """Close its pipes, once it has ended."""
        self.hang_up()
        if self.listener:
            self.listener.join()
        if self.process.stdout:
            self.process.stdout.close()


@dataclass
class RunningProcesses:
    """See Running: a process a slot, started when it is needed, and a thread that listens to it."""

    slots: int
    folder: Path
    _workers: list[_Worker] = field(default_factory=list)
    _heard: queue.Queue[tuple[_Worker, Message | None]] = field(default_factory=queue.Queue)

    def submit(self, job: Job) -> None:
        """See Running."""
        self._begin(job, 1)

    def wait(self, judge: Judge) -> list[Done]:
        """See Running."""
        try:
            worker, message = self._heard.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return []
        if message is None:
            return self._ended(worker)
        job = worker.job
        assert job
        if "report" in message:
            self._tell(worker, {"give_up": judge(job.number, message["report"])})
            return []
        worker.job = None
        if "error" in message:
            return [Done(job, error=unpack_error(message))]
        return [Done(job, message["value"])]

    def end(self) -> None:
        """Ask what is still under way to stop, and wait until it has."""
        for worker in self._workers:
            worker.process.terminate()
            # Else it would wait for another job, once it has saved this one.
            worker.hang_up()
        for worker in self._workers:
            worker.process.wait()
            worker.close()

    def _begin(self, job: Job, attempt: int) -> None:
        worker = next((one for one in self._workers if one.job is None), None) or self._start()
        worker.job, worker.attempt = job, attempt
        told = {
            "module": job.function.__module__,
            "function": job.function.__qualname__,
            "folder": str(self.folder),
            "arguments": job.arguments,
        }
        self._tell(worker, told)

    def _start(self) -> _Worker:
        threads = str(max(1, (os.cpu_count() or 1) // self.slots))
        command = [sys.executable, "-m", "fashioncnn.executors.worker"]
        process = subprocess.Popen(
            command,
            env=os.environ | {"OMP_NUM_THREADS": threads},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        worker = _Worker(process)
        worker.listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.listener.start()
        self._workers.append(worker)
        return worker

    def _listen(self, worker: _Worker) -> None:
        stream: IO[str] | Any = worker.process.stdout
        try:
            while message := receive(stream):
                self._heard.put((worker, message))
        except ValueError:
            # What it said is no message: it cannot be understood any more.
            worker.process.kill()
        finally:
            worker.process.wait()
            self._heard.put((worker, None))

    def _tell(self, worker: _Worker, message: Message) -> None:
        stream: IO[str] | Any = worker.process.stdin
        try:
            send(stream, message)
        except OSError:
            # It has ended, which its listener will say.
            return

    def _ended(self, worker: _Worker) -> list[Done]:
        """Begin the job of a process that has ended anew, if it had one."""
        worker.close()
        self._workers.remove(worker)
        if worker.job is None:
            return []
        if worker.attempt == RETRIES:
            status = worker.process.returncode
            error = WorkerError(f"its process ended {RETRIES} times (exit status {status})")
            return [Done(worker.job, error=error)]
        self._begin(worker.job, worker.attempt + 1)
        return []
