"""compare: from runs, or groups of seeds, to which is better, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import RunError
from fashioncnn.evaluation.group import differences as figure_differences
from fashioncnn.evaluation.paired import Comparison, holm
from fashioncnn.evaluation.paired import compare as compare_accuracies
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.recipes.load import differences, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.evaluate import evaluated, predictions_of
from fashioncnn.workflows.opening import open_runs

PICTURES_TOLD = 12


@dataclass(frozen=True)
class Effect:
    """The difference of one figure of one class, a share, with its interval and p-value.

    The p-value takes into account that there is one a class (Holm).
    """

    name: str
    difference: float
    low: float
    high: float
    adjusted_p_value: float


@dataclass(frozen=True)
class Picture:
    """A picture whose answers changed: how many runs of each group had it right, as shares."""

    index: int
    true: str
    right_before: float
    right_after: float


@dataclass(frozen=True)
class Compared:
    """`other` beside `reference`, the names of two groups of runs; `changes` of their recipes."""

    reference: str
    other: str
    changes: tuple[str, ...]
    accuracy: Comparison
    f1: tuple[Effect, ...]
    gained: tuple[Picture, ...]
    lost: tuple[Picture, ...]

    @property
    def verdict(self) -> str:
        """One sentence: which is better, by how much; or that one cannot tell, and what could."""
        one = self.accuracy
        gap = 100 * one.difference.value
        bounds = [100 * one.difference.low, 100 * one.difference.high]
        single = max(one.runs) == 1
        if one.distinguishable:
            better, worse = self.other, self.reference
            if gap < 0:
                better, worse, gap, bounds = worse, better, -gap, [-bounds[1], -bounds[0]]
            words = (
                f"{better} is better than {worse} by {gap:.2f} points "
                f"[{bounds[0]:.2f}, {bounds[1]:.2f}]"
            )
            return words + (", these two runs: other seeds may differ" if single else "")
        runs = f"these {one.runs[0]} + {one.runs[1]} runs"
        words = f"{self.other} and {self.reference} are not distinguishable with {runs}"
        words += f" (difference {gap:+.2f} points [{bounds[0]:.2f}, {bounds[1]:.2f}])"
        if one.runs_needed is not None:
            return words + f"; about {one.runs_needed} + {one.runs_needed} would be needed"
        if min(one.runs) == 1:
            return words + "; several seeds of each would say how many are needed"
        return words + "; a difference this small takes more pictures, not more runs"

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values."""
        facts = asdict(self)
        facts["accuracy"]["distinguishable"] = self.accuracy.distinguishable
        return facts | {"verdict": self.verdict}


@dataclass(frozen=True)
class _Group:
    name: str
    recipe: Recipe
    predictions: list[Predictions]


def compare(
    runs: Sequence[Run | Path | str],
    *,
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> list[Compared]:
    """Compare each of `runs` with the first; each is a run, or a folder of runs of one recipe.

    Runs that were not evaluated yet are, on the test pictures. Two single runs are compared by
    McNemar's exact test, groups by the paired bootstrap over pictures and seeds; with several
    comparisons, Holm's correction keeps the chance of one false alarm at 5 %. Raises RunError when
    fewer than two are given, or a run cannot be used.
    """
    if len(runs) < 2:
        raise RunError(f"compare needs two runs or more; {len(runs)} given")
    paths = [str(one.path if isinstance(one, Run) else one) for one in runs]
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise RunError(f"compare: {twice[0]} is given twice")
    groups = [_runs_of_one_recipe(given) for given in runs]
    for run in (run for group in groups for run in group):
        evaluated(run, data, device)
    return compare_groups(groups, paths)


def compare_groups(groups: Sequence[Sequence[Run]], paths: Sequence[str] = ()) -> list[Compared]:
    """Compare each group with the first; all were evaluated, each is of one recipe.

    Groups are called by their recipes, told apart by what differs from the first, else by `paths`.
    """
    recipes = [load(group[0].recipe_file) for group in groups]
    opened = [
        _Group(name, recipe, [predictions_of(run) for run in runs])
        for name, recipe, runs in zip(_names(recipes, paths), recipes, groups, strict=True)
    ]
    first, *others = opened
    found = compare_accuracies(first.predictions, [other.predictions for other in others])
    return [_compared(first, other, result) for other, result in zip(others, found, strict=True)]


def _names(recipes: Sequence[Recipe], paths: Sequence[str]) -> list[str]:
    names = [recipe.name for recipe in recipes]
    if len(set(names)) == len(names):
        return names
    for at, recipe in enumerate(recipes[1:], start=1):
        changes = [change.split(",")[0] for change in differences(recipe, recipes[0])]
        names[at] += f" with {', '.join(changes)}" if changes else ""
    return names if len(set(names)) == len(names) else list(paths)


def _runs_of_one_recipe(given: Run | Path | str) -> list[Run]:
    runs = open_runs([given])
    first = load(runs[0].recipe_file)
    for run in runs[1:]:
        recipe = load(run.recipe_file)
        if recipe.name != first.name or differences(first, recipe):
            raise RunError(
                f"{given} holds runs of several recipes, {first.name} and {recipe.name} among "
                "them: name a folder with runs of one"
            )
    return runs


def _compared(first: _Group, other: _Group, result: Comparison) -> Compared:
    before, after = _right(first), _right(other)
    gain = after - before
    order = np.argsort(-gain, kind="stable")
    gained, lost = order[gain[order] > 0], order[::-1][gain[order[::-1]] < 0]
    return Compared(
        first.name,
        other.name,
        tuple(differences(other.recipe, first.recipe)),
        result,
        _f1_effects(first, other),
        _pictures(other, before, after, gained),
        _pictures(other, before, after, lost),
    )


def _f1_effects(first: _Group, other: _Group) -> tuple[Effect, ...]:
    found = figure_differences(first.predictions, other.predictions)
    names = first.predictions[0].class_names
    estimates = [found[f"test/f1/{name}"] for name in names]
    adjusted = holm([estimate.p_value for estimate in estimates])
    return tuple(
        Effect(name, one.interval.value, one.interval.low, one.interval.high, p_value)
        for name, one, p_value in zip(names, estimates, adjusted, strict=True)
    )


def _right(group: _Group) -> NDArray[np.float64]:
    """Return, for each picture, the share of runs that had it right."""
    shares = np.mean([run.predicted == run.labels for run in group.predictions], axis=0)
    return np.asarray(shares, np.float64)


def _pictures(
    group: _Group,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    order: NDArray[np.int64],
) -> tuple[Picture, ...]:
    """Return the first pictures of `order`."""
    run = group.predictions[0]
    return tuple(
        Picture(
            int(run.indices[at]),
            run.class_names[run.labels[at]],
            float(before[at]),
            float(after[at]),
        )
        for at in order[:PICTURES_TOLD]
    )
