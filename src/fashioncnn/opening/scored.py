"""Runs with their test scores, opened for a page."""

from __future__ import annotations

from fashioncnn.opening.trained import Trained
from fashioncnn.recipes.load import dump
from fashioncnn.reporting.groups import ScoredRun, read_run


def scored_run(trained: Trained) -> ScoredRun:
    """Return an evaluated network as pages know it. RunError when it was not evaluated."""
    recipe = trained.recipe
    tables = recipe.model_dump(mode="json", exclude_none=True)
    return read_run(trained.kept, tables, recipe.settings(), dump(recipe))
