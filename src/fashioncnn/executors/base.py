"""What an executor is: it runs jobs somewhere, and says what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fashioncnn.errors import FashionCNNError, Stopped

# What a job reports on its way, and whether it is to give up; see Job.
Report = Callable[[Any], bool]


@dataclass(frozen=True)
class Job:
    """`function(folder, report, *arguments)` is to be run.

    What it leaves below `folder` is there afterwards, wherever it ran. It may call `report` with a
    plain value, which answers whether to give up. Elsewhere than in this process, `function` is
    imported by its name, and `arguments` and results are plain values, as in JSON.
    """

    number: int
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Done:
    """What came of a job: what it returned, or the error that ended it."""

    job: Job
    value: Any = None
    error: FashionCNNError | None = None


# Judges what the job of that number reports: whether it is to give up.
Judge = Callable[[int, Any], bool]


class Running(Protocol):
    """An executor at work; leaving its context ends what is still under way."""

    @property
    def slots(self) -> int:
        """How many jobs are worth having under way at once."""

    def submit(self, job: Job) -> None:
        """Begin `job`, or let it wait for its turn."""

    def wait(self, judge: Judge) -> list[Done]:
        """Let a little time pass, or a job end; judge reports; return what has ended.

        Raises WorkerError when work cannot be done at all.
        """


class Executor(Protocol):
    """Where jobs run."""

    @property
    def shares_disk(self) -> bool:
        """Whether jobs write to this machine's folders themselves."""

    def open(self, folder: Path) -> AbstractContextManager[Running]:
        """Begin to work, below `folder`. Raises WorkerError when it cannot."""


def run_jobs(
    running: Running,
    jobs: Iterable[Job],
    judge: Judge,
    stopped: Callable[[], bool],
) -> Iterator[Done]:
    """Run `jobs`, taken one by one when there is room, and yield what comes of each.

    When `stopped` says so no other is begun; after what has ended was yielded, Stopped is raised.
    """
    waiting, under_way, exhausted = iter(jobs), 0, False
    while True:
        while not exhausted and under_way < running.slots and not stopped():
            if (job := next(waiting, None)) is None:
                exhausted = True
            else:
                running.submit(job)
                under_way += 1
        if not under_way:
            break
        for done in running.wait(judge):
            under_way -= 1
            yield done
        if stopped():
            break
    if stopped():
        raise Stopped("stopped")
