"""Runs of before that a training goes on with."""

from __future__ import annotations

from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.recipes.load import differences, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run, is_run, open_run, runs_below


def as_begun(recipe: Recipe, out: Path) -> Recipe:
    """Return the recipe with the user's own files as its newest run below `out` keeps them.

    So that what is resumed, and the seeds that are still to come, are of one version.
    """
    if not recipe.code:
        return recipe
    runs = [open_run(out)] if is_run(out) else reversed(runs_below(out / recipe.name))
    for run in runs:
        kept = load(run.recipe_file)
        if differences(kept, recipe, but_code=True):
            continue
        if kept.code != recipe.code:
            say(
                f"the code has changed since {run.path} began: going on with the copy in {run.code}"
            )
        return kept
    return recipe


def earlier_run(
    recipe: Recipe, out: Path, seed: int, train_sha256: str, split_sha256: str | None = None
) -> Run | None:
    """Return the newest run of `recipe` with `seed` on these pictures below `out`, if any."""
    for run in reversed(runs_below(out / recipe.name)):
        same = run.seed == seed and not differences(load(run.recipe_file), recipe)
        if same and is_of_pictures(run, train_sha256, split_sha256):
            return run
    return None


def is_of_pictures(run: Run, train_sha256: str, split_sha256: str | None) -> bool:
    """Say whether a run was trained on pictures of this digest, split in this way where given."""
    split = run.provenance.get("split") or {}
    return run.trained_on.sha256 in (None, train_sha256) and (
        split_sha256 is None or split.get("sha256", split_sha256) == split_sha256
    )
