"""From paths to runs: run directories by name, a folder of runs as all that are finished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.errors import RunError
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import Run, is_run, open_run, runs_below

AnyRun = Run | Path | str


def as_run(run: AnyRun) -> Run:
    """Return the run that a path names. Raises RunError when there is none."""
    return run if isinstance(run, Run) else open_run(Path(run))


def open_runs(paths: AnyRun | Sequence[AnyRun]) -> list[Run]:
    """Return the runs that `paths`, one or several, name, each once.

    A folder of runs stands for those in it that were trained to their end; the others are told
    and left out. Raises RunError when a path is neither a run nor such a folder.
    """
    runs: dict[Path, Run] = {}
    for given in [paths] if isinstance(paths, AnyRun) else paths:
        path = given.path if isinstance(given, Run) else Path(given)
        below = [] if is_run(path) else runs_below(path)
        found = [run for run in below if _finished(run)] if below else [open_run(path)]
        if not found:
            raise RunError(f"{path}: none of its {len(below)} runs was trained to its end")
        for run in found:
            runs.setdefault(run.path.resolve(), run)
    return list(runs.values())


def _finished(run: Run) -> bool:
    done, wanted = len(run.metrics), load(run.recipe_file).training.epochs
    if done < wanted:
        say(f"leaving {run.path} out: it was stopped after {done} of {wanted} epochs")
    return done >= wanted
