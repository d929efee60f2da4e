"""trust: let the code that came with runs run on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.opening.runs import AnyRun
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import Run, is_run, open_run, runs_below
from fashioncnn.usercode.modules import offer, source_of
from fashioncnn.usercode.source import digest_of
from fashioncnn.usercode.trust import trust as note


def trust(runs: AnyRun | Sequence[AnyRun]) -> list[Run]:
    """Trust the Python files that `runs` carry, from now on; return the runs that carry any.

    What is trusted is their SHA-256, with what their recipes call in them, noted in the user's own
    state folder: files that change are not trusted any more. Runs that this machine trained are
    trusted already. Read the files first: they may do whatever you may. Folders stand for the runs
    in them.
    """
    given = [runs] if isinstance(runs, Run | Path | str) else runs
    trusted = []
    for run in (one for path in given for one in _runs_at(path)):
        recipe = load(run.recipe_file)
        if not recipe.code:
            continue
        offer(source_of(recipe.code), recipe.addresses, copied=True)
        kept = "" if note(recipe.code, recipe.addresses) else ", for this process alone"
        trusted.append(run)
        called = f"{', '.join(recipe.addresses)} in {run.code}"
        say(f"trusting {called}, SHA-256 {digest_of(recipe.code)}{kept}")
    return trusted


def is_in_run(path: Path) -> bool:
    """Say whether `path` is a run, or the recipe of one."""
    return is_run(path) or (path.name == "recipe.toml" and is_run(path.parent))


def _runs_at(given: AnyRun) -> list[Run]:
    if isinstance(given, Run):
        return [given]
    path = Path(given)
    if path.name == "recipe.toml":
        path = path.parent
    return [open_run(path)] if is_run(path) or not path.is_dir() else runs_below(path)
