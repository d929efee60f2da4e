"""Settings of a study as tasks on a Ray cluster; the study itself stays with us.

A task trains one setting in a folder of its node, and sends the runs back as one archive. A task
whose node dies is begun anew by Ray on another one. Whether a setting is hopeless is for us to say:
tasks send each epoch's accuracy to a small actor, and learn the answer with their next epoch.
"""

from __future__ import annotations

import io
import logging
import socket
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fashioncnn.errors import Diverged, RecipeError, Stopped, StudyError
from fashioncnn.recipes.schema import Recipe
from fashioncnn.tuning.search import Search, Ticket
from fashioncnn.workflows.say import say
from fashioncnn.workflows.stopping import StopWish
from fashioncnn.workflows.tune_worker import Hopeless, Order, progress, train_setting

RETRIES = 10
POLL_SECONDS = 0.2
CALL_SECONDS = 10


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is, and what one setting is to have of it."""

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0


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

        task = ray.remote(train_remotely).options(
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
            max_retries=RETRIES,
            scheduling_strategy="SPREAD",
        )
        # Beside us, so that no other node takes it along when it dies.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        reports = ray.remote(Reports).options(num_cpus=0, scheduling_strategy=here).remote()
        Driver(search, order, cluster, wish, ray, task, reports).run()


@dataclass(frozen=True)
class Driver:
    """Hands out tickets, gathers what comes back."""

    search: Search
    order: Order
    cluster: Cluster
    wish: StopWish
    ray: Any
    task: Any
    reports: Any

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
                    say(progress(ticket, answers, self.search.wanted, seconds))
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
            order = replace(self.order, folder="", storage=None)
            pending[self.task.remote(recipe, order, ticket, self.reports)] = ticket

    def _judge(self, numbers: set[int]) -> None:
        new = self.ray.get(self.reports.take.remote(set()))
        hopeless = {
            number
            for number, epoch, accuracy in new
            if number in numbers and self.search.is_hopeless(number, epoch, accuracy)
        }
        if hopeless:
            self.ray.get(self.reports.take.remote(hopeless))

    def _gather(self, ticket: Ticket, reference: Any) -> None:
        try:
            found: Trained = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            raise StudyError(f"a task on the cluster failed: {_last_line(error)}") from None
        if found.hopeless or found.fault is not None:
            self.search.give_up(ticket.number, found.fault or "")
            return
        unpack(found.archive, self.search.folder)
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


def pack(folder: Path) -> bytes:
    """Return everything in `folder` as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, arcname=".")
    return buffer.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Put what `pack` returned into `folder`; nothing is written outside of it."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Join the cluster at `address` ("auto" for the one of this machine). Raises StudyError."""
    try:
        import ray
    except ImportError:
        raise StudyError("Ray is not installed: pip install 'fashioncnn[cluster]'") from None
    try:
        # Ray itself ends the whole process where nobody listens.
        _call(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise StudyError(f"no Ray cluster at {address!r}: {_last_line(error)}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _call(address: str) -> None:
    """Raise OSError or ValueError unless somebody listens at "host:port"; "auto" is Ray's own."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), CALL_SECONDS).close()


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
