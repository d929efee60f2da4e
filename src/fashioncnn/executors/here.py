"""This process: one job after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from fashioncnn.errors import FashionCNNError, Stopped
from fashioncnn.executors.base import Done, Job, Judge


class Here:
    """See Executor. Any function will do; nothing travels."""

    shares_disk = True

    @contextmanager
    def open(self, folder: Path) -> Iterator[RunningHere]:
        """See Executor."""
        yield RunningHere(folder)


class RunningHere:
    """See Running: the job that waits is run while the caller waits."""

    slots = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[Job] = []

    def submit(self, job: Job) -> None:
        """See Running."""
        self._waiting.append(job)

    def wait(self, judge: Judge) -> list[Done]:
        """See Running."""
        job = self._waiting.pop(0)
        try:
            value = job.function(self._folder, partial(judge, job.number), *job.arguments)
        except Stopped:
            raise
        except FashionCNNError as error:
            return [Done(job, error=error)]
        return [Done(job, value)]
