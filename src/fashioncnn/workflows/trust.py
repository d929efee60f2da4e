"""trust: let the code that came with runs run on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.opening.runs import AnyRun
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import Run, is_run, open_run, runs_below
from fashioncnn.usercode.source import digest_of
from fashioncnn.usercode.trust import trust as note


def trust(runs: AnyRun | Sequence[AnyRun]) -> list[Run]:
    """Trust the Python files that `runs` carry, from now on; return the runs that carry any.

    What is trusted is their SHA-256, noted in the user's own state folder: files that change are
    not trusted any more. Runs that this machine trained are trusted already. Read the files first:
    they may do whatever you may. Folders stand for the runs in them.
    """
    given = [runs] if isinstance(runs, Run | Path | str) else runs
    trusted = []
    for run in (one for path in given for one in _runs_at(path)):
        if code := load(run.recipe_file).code:
            note(code)
            trusted.append(run)
            say(f"trusting {', '.join(code)} in {run.code}, SHA-256 {digest_of(code)}")
    return trusted


def _runs_at(given: AnyRun) -> list[Run]:
    if isinstance(given, Run):
        return [given]
    path = Path(given)
    if path.name == "recipe.toml":
        path = path.parent
    return [open_run(path)] if is_run(path) else runs_below(path)
