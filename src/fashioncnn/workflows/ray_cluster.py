"""A Ray cluster that exists already: joining it, tasks on it, folders that travel."""

from __future__ import annotations

import io
import logging
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashioncnn.errors import StudyError

RETRIES = 10
POLL_SECONDS = 0.2
CALL_SECONDS = 10


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is, and what one setting is to have of it."""

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0


def remote(ray: Any, work: Callable[..., Any], cluster: Cluster) -> Any:
    """Return `work` as a task, spread over the nodes; begun anew where its node dies."""
    return ray.remote(work).options(
        num_cpus=cluster.cpus,
        num_gpus=cluster.gpus,
        max_retries=RETRIES,
        scheduling_strategy="SPREAD",
    )


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
        raise StudyError(f"no Ray cluster at {address!r}: {last_line(error)}") from None
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


def last_line(error: Exception) -> str:
    """Return the last line of what an error says: Ray's are whole tracebacks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
