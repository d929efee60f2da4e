"""Training the settings of a search, wherever an executor says."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashioncnn.console.say import say
from fashioncnn.console.stopping import StopWish
from fashioncnn.console.study_progress import StudyProgress
from fashioncnn.data.dataset import DataSet
from fashioncnn.errors import Diverged, GivenUp, RecipeError, Stopped
from fashioncnn.executors.base import Done, Executor, Job, Running, run_jobs
from fashioncnn.executors.here import Here
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import open_run
from fashioncnn.sessions.order import Order, train_order
from fashioncnn.tracking.trackers import TrackerName, copy_run
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.outcome import Ticket
from fashioncnn.tuning.search import Search
from fashioncnn.tuning.space import digest


@dataclass(frozen=True)
class Study:
    """A search, and what training its settings takes; no setting is begun after `deadline`."""

    search: Search
    folder: Path
    seeds: int
    data: DataSet
    device: DeviceName
    track: Sequence[TrackerName]
    executor: Executor
    wish: StopWish
    deadline: float | None

    def work(self) -> None:
        """Try settings until all are answered, the time is up, or the user stops it."""
        tickets: dict[int, Ticket] = {}
        progress = StudyProgress(self.search, self.folder)
        try:
            with self.executor.open(self.folder) as running:
                self._try(running, tickets, progress)
                # What a killed worker gave back, and values whose settings were all given up.
                if self.search.queue_finalists():
                    self._try(running, tickets, progress)
        except Stopped:
            raise Stopped(
                f"stopped after {len(self.search.outcomes())} of {self.search.wanted} settings; "
                f"all is kept in {self.folder}"
            ) from None
        finally:
            for number in tickets:
                self.search.give_back(number)

    def _try(self, running: Running, tickets: dict[int, Ticket], progress: StudyProgress) -> None:
        def judge(number: int, reported: Any) -> bool:
            epoch, accuracy = reported
            return self.search.is_hopeless(number, epoch, accuracy)

        for done in run_jobs(running, self._jobs(tickets), judge, lambda: bool(self.wish)):
            self._conclude(done)
            progress.one_more(tickets.pop(done.job.number))

    def _jobs(self, tickets: dict[int, Ticket]) -> Iterator[Job]:
        while self.deadline is None or time.time() < self.deadline:
            if (ticket := self.search.next()) is None:
                return
            try:
                recipe = self.search.space.apply(ticket.setting)
            except RecipeError as fault:
                self.search.give_up(ticket.number, str(fault))
                continue
            tickets[ticket.number] = ticket
            yield Job(ticket.number, train_order, self._arguments(recipe, ticket))

    def _arguments(self, recipe: Recipe, ticket: Ticket) -> tuple[Any, ...]:
        here = isinstance(self.executor, Here)
        order = Order.of(
            recipe,
            seeds=tuple(range(self.seeds)),
            subfolder=f"settings/{digest(recipe)}",
            data=self.data.address() if not here else (None, None),
            device=self.device,
            judged=not ticket.finalist,
            track=tuple(self.track) if self.executor.shares_disk else (),
        )
        opened = (self.data,) if here else ()
        return (order.to_json(), *opened)

    def _conclude(self, done: Done) -> None:
        number = done.job.number
        if isinstance(done.error, GivenUp):
            self.search.give_up(number)
        elif isinstance(done.error, Diverged | RecipeError):
            self.search.give_up(number, str(done.error))
        elif done.error:
            raise done.error
        else:
            if not self.executor.shares_disk:
                for path in done.value["runs"]:
                    copy_run(self.track, open_run(self.folder / path), say)
            self.search.complete(number, done.value["accuracies"], done.value["runs"])
