"""A Ray cluster that exists already: jobs are tasks on it, and what they leave comes back.

A task runs in a folder of its node, which is gone afterwards; its content travels as one archive.
A task whose node dies is begun anew by Ray on another one. Reports go to a small actor beside us;
a task learns with its next report whether to give up.
"""

from __future__ import annotations

import importlib
import io
import logging
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fashioncnn.errors import ExtraError, FashionCNNError, WorkerError, reason
from fashioncnn.executors.base import Done, Job, Judge
from fashioncnn.executors.messages import Message, pack_error, unpack_error

RETRIES = 10
POLL_SECONDS = 0.2
CALL_SECONDS = 10


@dataclass(frozen=True)
class RayCluster:
    """See Executor: where the cluster is, and what one job is to have of it."""

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0
    shares_disk: bool = False

    def __post_init__(self) -> None:
        """Raise ExtraError without Ray, before anything is written."""
        if find_spec("ray") is None:
            raise ExtraError("Ray is not installed: pip install 'fashioncnn[cluster]'")

    @contextmanager
    def open(self, folder: Path) -> Iterator[RunningOnRay]:
        """See Executor."""
        with _connected(self.address) as ray:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            # Beside us, so that no other node takes it along when it dies.
            node = ray.get_runtime_context().get_node_id()
            here = NodeAffinitySchedulingStrategy(node, soft=False)
            reports = ray.remote(Reports).options(num_cpus=0, scheduling_strategy=here).remote()
            task = ray.remote(run_task).options(
                num_cpus=self.cpus,
                num_gpus=self.gpus,
                max_retries=RETRIES,
                scheduling_strategy="SPREAD",
            )
            running = RunningOnRay(ray, self.cpus, folder, task, reports)
            try:
                yield running
            finally:
                running.end()


class Reports:
    """The actor between tasks and us: reports one way, verdicts the other."""

    def __init__(self) -> None:
        self._new: list[tuple[int, Any]] = []
        self._hopeless: set[int] = set()

    def note(self, number: int, value: Any) -> bool:
        """Take a report in; answer whether the job was found hopeless meanwhile."""
        self._new.append((number, value))
        return number in self._hopeless

    def take(self, hopeless: set[int]) -> list[tuple[int, Any]]:
        """Learn which jobs are hopeless; answer the reports since the last time."""
        self._hopeless |= hopeless
        new, self._new = self._new, []
        return new


@dataclass
class RunningOnRay:
    """See Running; `_asked` is what the actor has yet to answer."""

    ray: Any
    cpus: float
    folder: Path
    task: Any
    reports: Any
    _pending: dict[Any, Job] = field(default_factory=dict)
    _hopeless: set[int] = field(default_factory=set)
    _asked: list[Any] = field(default_factory=list)

    @property
    def slots(self) -> int:
        """See Running: one for each processor that the cluster has."""
        there = self.ray.cluster_resources().get("CPU", 0.0) / max(self.cpus, 0.01)
        return max(1, int(there))

    def submit(self, job: Job) -> None:
        """See Running."""
        function = job.function
        told = function.__module__, function.__qualname__, job.arguments
        self._pending[self.task.remote(*told, job.number, self.reports)] = job

    def wait(self, judge: Judge) -> list[Done]:
        """See Running."""
        ended, _ = self.ray.wait(list(self._pending), timeout=POLL_SECONDS)
        numbers = {job.number for job in self._pending.values()}
        for number, value in self._exchange():
            if number in numbers and judge(number, value):
                self._hopeless.add(number)
        return [self._gather(self._pending.pop(reference), reference) for reference in ended]

    def end(self) -> None:
        """Cancel what is still under way."""
        for reference in self._pending:
            self.ray.cancel(reference, force=True)

    def _gather(self, job: Job, reference: Any) -> Done:
        answer, archive = self._get(reference, "a task on the cluster failed")
        if "error" in answer:
            return Done(job, error=unpack_error(answer))
        unpack(archive, self.folder)
        return Done(job, answer["value"])

    def _exchange(self) -> list[tuple[int, Any]]:
        """Send the verdicts so far; return what was reported, or nothing yet."""
        if not self._asked:
            self._asked.append(self.reports.take.remote(self._hopeless))
        done, _ = self.ray.wait(self._asked, timeout=POLL_SECONDS)
        if not done:
            return []
        self._asked.clear()
        new: list[tuple[int, Any]] = self._get(done[0], "the cluster does not answer")
        return new

    def _get(self, reference: Any, words: str) -> Any:
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            raise WorkerError(f"{words}: {reason(error, line=-1)}") from None


def run_task(
    module: str, name: str, arguments: tuple[Any, ...], number: int, reports: Any
) -> tuple[Message, bytes]:
    """Do a job on a node of the cluster, in a folder that is gone afterwards."""
    import ray

    def report(value: Any) -> bool:
        return bool(ray.get(reports.note.remote(number, value)))

    function = getattr(importlib.import_module(module), name)
    with tempfile.TemporaryDirectory(prefix="fashioncnn-") as folder:
        try:
            value = function(Path(folder), report, *arguments)
        except FashionCNNError as error:
            return pack_error(error), b""
        return {"value": value}, pack(Path(folder))


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
def _connected(address: str) -> Iterator[Any]:
    """Join the cluster at `address` ("auto" for the one of this machine)."""
    try:
        import ray
    except ImportError as error:
        raise WorkerError(f"Ray cannot be imported: {reason(error)}") from None
    try:
        # Ray itself ends the whole process where nobody listens.
        _call(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise WorkerError(f"no Ray cluster at {address!r}: {reason(error, line=-1)}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _call(address: str) -> None:
    """Raise OSError or ValueError unless somebody listens at "host:port"; "auto" asks Ray where."""
    if address == "auto":
        from ray._private.services import get_ray_address_from_environment

        # What names the cluster of this machine outlives one that was killed.
        address = get_ray_address_from_environment(address, None)
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), CALL_SECONDS).close()
