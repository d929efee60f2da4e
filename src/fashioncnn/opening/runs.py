"""From paths to runs: run directories by name, a folder of runs as all that are finished."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fashioncnn.bundles.shipped import shipped
from fashioncnn.console.say import say
from fashioncnn.errors import RunError
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import Run, is_run, open_run, runs_below

AnyRun = Run | Path | str


def as_run(run: AnyRun) -> Run:
    """Return the run that a path names. Raises RunError when there is none."""
    if not isinstance(run, AnyRun):
        raise _no_run(run)
    return run if isinstance(run, Run) else _open(Path(run))


def as_list(runs: AnyRun | Iterable[AnyRun]) -> list[AnyRun]:
    """Return one or several runs, or their paths, as a list. Raises RunError for anything else."""
    if isinstance(runs, AnyRun):
        return [runs]
    given = list(runs) if isinstance(runs, Iterable) else [runs]
    for one in given:
        if not isinstance(one, AnyRun):
            raise _no_run(one)
    return given


def open_runs(paths: AnyRun | Iterable[AnyRun]) -> list[Run]:
    """Return the runs that `paths`, one or several, name, each once.

    A folder of runs stands for those in it that were trained to their end; the others are told
    and left out. Raises RunError when a path is neither a run nor such a folder.
    """
    runs: dict[Path, Run] = {}
    for given in as_list(paths):
        path = given.path if isinstance(given, Run) else Path(given)
        below = [] if is_run(path) else runs_below(path)
        found = [run for run in below if _finished(run)] if below else [_open(path)]
        if not found:
            raise RunError(f"{path}: none of its {len(below)} runs was trained to its end")
        for run in found:
            runs.setdefault(run.path.resolve(), run)
    return list(runs.values())


def _open(path: Path) -> Run:
    if not path.exists() and str(path) in shipped():
        raise RunError(f"{path} comes along as a bundle; here a run is needed: train {path} first")
    return open_run(path)


def _no_run(given: object) -> RunError:
    return RunError(f"{given!r:.80} is no run: give one, or the path of its directory")


def _finished(run: Run) -> bool:
    done, wanted = len(run.metrics), load(run.recipe_file).training.epochs
    if done < wanted:
        say(f"leaving {run.path} out: it was stopped after {done} of {wanted} epochs")
    return done >= wanted
