"""The trained network that comes with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fashioncnn.errors import RunError
from fashioncnn.runs.directory import Run, open_run


def own_weights() -> Run:
    """Return the run `photo` that comes along. Raises RunError where it does not."""
    path = Path(str(resources.files("fashioncnn") / "weights" / "photo"))
    if not path.is_dir():
        raise RunError("no weights come with this installation: name a run")
    return open_run(path)
