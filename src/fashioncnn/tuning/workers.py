"""Who works at a study: each worker holds a lock file as long as it lives."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fashioncnn.runs.files import make_folder


@contextmanager
def sign_in(folder: Path) -> Iterator[str]:
    """Name one more worker at the study in `folder`, alive until this ends."""
    worker = f"{platform.node()}-{uuid.uuid4().hex[:12]}"
    lock_file = _lock_file(folder, worker)
    make_folder(lock_file.parent)
    with FileLock(lock_file):
        yield worker
    lock_file.unlink(missing_ok=True)


def is_alive(folder: Path, worker: str | None) -> bool:
    """Say whether a worker holds its lock; one of another machine is taken to.

    None is one that was killed before it signed its trial: ask within the study's lock.
    """
    if worker is None:
        return False
    if worker.rpartition("-")[0] != platform.node():
        return True
    lock = FileLock(_lock_file(folder, worker))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _lock_file(folder: Path, worker: str) -> Path:
    return folder / "workers" / f"{worker}.lock"
