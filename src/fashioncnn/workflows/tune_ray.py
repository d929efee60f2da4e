"""Settings of a study as tasks on a Ray cluster; the study itself stays with us.

A task trains one setting in a folder of its node, and sends the runs back as one archive. A task
whose node dies is begun anew by Ray on another one. Whether a setting is hopeless is for us to say:
tasks send each epoch's accuracy to a small actor, and learn the answer with their next epoch.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fashioncnn.errors import Diverged, RecipeError, Stopped, StudyError
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import open_run
from fashioncnn.tracking.trackers import track
from fashioncnn.tuning.search import Search, Ticket
from fashioncnn.workflows.ray_cluster import (
    POLL_SECONDS,
    Cluster,
    connected,
    last_line,
    pack,
    remote,
    unpack,
)
from fashioncnn.workflows.say import say
from fashioncnn.workflows.stopping import StopWish
from fashioncnn.workflows.tune_worker import Hopeless, Order, progress, train_setting


@dataclass(frozen=True)
class Trained:
    """What a task sends back: accuracies and runs, a fault, or that it was hopeless."""

    accuracies: tuple[float, ...] = ()
    runs: tuple[str, ...] = ()
    archive: bytes = b""
    fault: str | None = None
    hopeless: bool = False


class Reports:
    """The actor between tasks and us: accuracies one way, verdicts the other."""

    def __init__(self) -> None:
        self._new: list[tuple[int, int, float]] = []
        self._hopeless: set[int] = set()

    def note(self, number: int, epoch: int, accuracy: float) -> bool:
        """Take an accuracy in; answer whether the setting was found hopeless meanwhile."""
        self._new.append((number, epoch, accuracy))
        return number in self._hopeless

    def take(self, hopeless: set[int]) -> list[tuple[int, int, float]]:
        """Learn which settings are hopeless; answer the accuracies since the last time."""
        self._hopeless |= hopeless
        new, self._new = self._new, []
        return new


def work_on_cluster(search: Search, order: Order, cluster: Cluster, wish: StopWish) -> None:
    """Try settings on `cluster` until all are answered, the time is up, or the user stops it.

    Raises StudyError when the cluster cannot be reached, Stopped when the user asks.
    """
    with connected(cluster.address) as ray:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task = remote(ray, train_remotely, cluster)
        # Beside us, so that no other node takes it along when it dies.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        reports = ray.remote(Reports).options(num_cpus=0, scheduling_strategy=here).remote()
        Driver(search, order, cluster, wish, ray, task, reports).run()


@dataclass(frozen=True)
class Driver:
    """Hands out tickets, gathers what comes back; `asked` is what `reports` has yet to answer."""

    search: Search
    order: Order
    cluster: Cluster
    wish: StopWish
    ray: Any
    task: Any
    reports: Any
    hopeless: set[int] = field(default_factory=set)
    asked: list[Any] = field(default_factory=list)

    def run(self) -> None:
        """See `work_on_cluster`."""
        pending: dict[Any, Ticket] = {}
        started, at_start = time.monotonic(), len(self.search.answered())
        try:
            while True:
                self._submit(pending)
                if not pending:
                    return
                done, _ = self.ray.wait(list(pending), timeout=POLL_SECONDS)
                self._judge({ticket.number for ticket in pending.values()})
                for reference in done:
                    ticket = pending[reference]
                    self._gather(ticket, reference)
                    del pending[reference]
                    answers = self.search.answered()
                    seconds = (time.monotonic() - started) / max(1, len(answers) - at_start)
                    say(progress(self.search, ticket, answers, seconds))
                if self.wish:
                    raise Stopped(
                        f"stopped after {len(self.search.answered())} of {self.search.wanted} "
                        f"settings; all is kept in {self.order.folder}"
                    )
        finally:
            for reference, ticket in pending.items():
                self.ray.cancel(reference, force=True)
                self.search.give_back(ticket.number)

    def _submit(self, pending: dict[Any, Ticket]) -> None:
        late = self.order.deadline is not None and time.time() >= self.order.deadline
        free = self.ray.cluster_resources().get("CPU", 0.0) / max(self.cluster.cpus, 0.01)
        while not late and len(pending) < max(1, int(free)):
            ticket = self.search.next()
            if ticket is None:
                return
            try:
                recipe = self.search.space.apply(ticket.setting)
            except RecipeError as fault:
                self.search.give_up(ticket.number, str(fault))
                continue
            order = replace(self.order, folder="", storage=None, log=())
            pending[self.task.remote(recipe, order, ticket, self.reports)] = ticket

    def _judge(self, numbers: set[int]) -> None:
        """Hear of epochs, and tell tasks by and by which of the settings `numbers` are hopeless."""
        for number, epoch, accuracy in self._exchange():
            if number in numbers and self.search.is_hopeless(number, epoch, accuracy):
                self.hopeless.add(number)

    def _exchange(self) -> list[tuple[int, int, float]]:
        """Send the verdicts so far; return what was reported, or nothing yet."""
        if not self.asked:
            self.asked.append(self.reports.take.remote(self.hopeless))
        done, _ = self.ray.wait(self.asked, timeout=POLL_SECONDS)
        if not done:
            return []
        self.asked.clear()
        try:
            new: list[tuple[int, int, float]] = self.ray.get(done[0])
        except self.ray.exceptions.RayError as error:
            raise StudyError(f"the cluster does not answer: {last_line(error)}") from None
        return new

    def _gather(self, ticket: Ticket, reference: Any) -> None:
        try:
            found: Trained = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            raise StudyError(f"a task on the cluster failed: {last_line(error)}") from None
        if found.hopeless or found.fault is not None:
            self.search.give_up(ticket.number, found.fault or "")
            return
        unpack(found.archive, self.search.folder)
        for path in found.runs:
            track(self.order.log, open_run(self.search.folder / path), say)
        self.search.complete(ticket.number, found.accuracies, found.runs)


def train_remotely(recipe: Recipe, order: Order, ticket: Ticket, reports: Any) -> Trained:
    """Train one setting on a node of the cluster, in a folder that is gone afterwards."""
    import ray

    def is_hopeless(epoch: int, accuracy: float) -> bool:
        return bool(ray.get(reports.note.remote(ticket.number, epoch, accuracy)))

    with tempfile.TemporaryDirectory(prefix="fashioncnn-") as name:
        folder = Path(name)
        asked = None if ticket.finalist else is_hopeless
        try:
            accuracies, runs = train_setting(recipe, order, folder, asked)
        except Hopeless:
            return Trained(hopeless=True)
        except Diverged as fault:
            return Trained(fault=str(fault))
        return Trained(tuple(accuracies), tuple(runs), pack(folder))
