"""A run directory: where each thing lies, making one, finding them."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs import metrics
from fashioncnn.runs.figures import Figures
from fashioncnn.runs.files import sync_folder, write_text
from fashioncnn.runs.provenance import TrainedOn, read_provenance, trained_on

EVALUATION = "evaluation"
EXPLANATIONS = "explanations"
CODE = "code"
# How a folder is called in which a run is made.
NEW = ".new-"


@dataclass(frozen=True)
class Run:
    """One training run on disk; `path` holds a recipe.toml."""

    path: Path

    @property
    def recipe_file(self) -> Path:
        """The resolved, complete recipe."""
        return self.path / "recipe.toml"

    @property
    def code(self) -> Path:
        """The folder of the user's own Python files, where the recipe names any."""
        return self.path / CODE

    @property
    def provenance_file(self) -> Path:
        """Data, split, versions, machine, command."""
        return self.path / "provenance.json"

    @property
    def metrics_file(self) -> Path:
        """A line an epoch."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def snapshots(self) -> Path:
        """The folder of weights from during the training."""
        return self.path / "snapshots"

    @property
    def evaluation(self) -> Path:
        """The folder of predictions and scores."""
        return self.path / EVALUATION

    @property
    def explanations(self) -> Path:
        """The folder of filters and feature maps, as arrays."""
        return self.path / EXPLANATIONS

    @property
    def readings_file(self) -> Path:
        """A line for each reading of the test split."""
        return self.evaluation / "test_readings.jsonl"

    @property
    def figures_folder(self) -> Path:
        """The folder of pictures, as SVG and PNG."""
        return self.path / "figures"

    @property
    def figures(self) -> Figures:
        """The pictures by name, which notebooks show."""
        return Figures(self.figures_folder)

    @property
    def report_file(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @property
    def provenance(self) -> dict[str, Any]:
        """What provenance.json says. Raises RunError when it is damaged."""
        return read_provenance(self.provenance_file)

    @cached_property
    def trained_on(self) -> TrainedOn:
        """The pictures that its network knows. Raises RunError when provenance is damaged."""
        return trained_on(self.provenance)

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The records of metrics.jsonl, oldest epoch first. Raises RunError when damaged."""
        if not self.path.is_dir():
            raise RunError(f"{self.path}: no such run directory")
        return metrics.read(self.metrics_file)

    @property
    def seed(self) -> int:
        """The seed that it was started with."""
        return int(self.provenance["seed"])


class RunTaken(RunError):
    """There is a run of this name."""


def create(path: Path, files: Mapping[str, str]) -> Run:
    """Make the run directory `path` with these `files`, whole or not at all.

    Raises RunTaken when it exists already, StorageError when the disk refuses.
    """
    if path.exists():
        raise RunTaken(f"{path} exists already; --resume goes on with it, or choose another --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(path.parent)
        prefix = f"{NEW}{socket.gethostname()}-{os.getpid()}-"
        scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    except OSError as error:
        raise StorageError.from_os_error("make", path, error) from None
    try:
        (scratch / "checkpoints").mkdir()
        for name, text in files.items():
            (scratch / name).parent.mkdir(exist_ok=True)
            write_text(scratch / name, text)
        scratch.chmod(0o777 & ~_umask())
        scratch.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise RunTaken(f"{path} exists already: another process made it") from None
        raise StorageError.from_os_error("make", path, error) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Run(path)


def _remove_unfinished(folder: Path) -> None:
    """Remove what killed processes of this machine left of runs that they were making."""
    mine = f"{NEW}{socket.gethostname()}-"
    for path in folder.glob(f"{mine}*"):
        pid = path.name.removeprefix(mine).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def new_path(out: Path, recipe_name: str, seed: int) -> Path:
    """Return `out`/<recipe>/<UTC time>-s<seed>, which does not exist yet."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = out / recipe_name / f"{now}-s{seed}"
    number = 2
    while path.exists():
        path = out / recipe_name / f"{now}-{number}-s{seed}"
        number += 1
    return path


def is_run(path: Path) -> bool:
    """Say whether `path` is a run directory."""
    return (path / "recipe.toml").is_file() and (path / "provenance.json").is_file()


def open_run(path: Path | str) -> Run:
    """Return the run at `path`. Raises RunError when there is none."""
    path = Path(path)
    if is_run(path):
        return Run(path)
    if not path.exists():
        raise RunError(f"{path}: no such run directory")
    below = next((one for one in sorted(path.glob("*")) if runs_below(one)), None)
    hint = f"; {below} holds runs" if below else "; pictures are named by --data"
    raise RunError(f"{path}: not a run directory (it has no recipe.toml and provenance.json){hint}")


def runs_below(folder: Path) -> list[Run]:
    """List the runs directly in `folder`, oldest first by their names."""
    if not folder.is_dir():
        return []
    # A name with a dot is a run being made, or what a kill left of one.
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return [Run(path) for path in paths if is_run(path)]


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Hold the run for this process alone. Raises RunError when another process has it."""
    lock = FileLock(run.checkpoints / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise RunError(f"{run.path}: another process is training here") from None
    except OSError as error:
        raise StorageError.from_os_error("lock", run.path, error) from None
    try:
        _remove_torn(run)
        yield
    finally:
        lock.release()


def _remove_torn(run: Run) -> None:
    """Remove what a killed training left of files that it was writing."""
    for folder in (run.path, run.checkpoints, run.snapshots):
        for path in folder.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                path.unlink()
