"""Trainings as jobs: what a worker is told, wherever it is, and what it does with that."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from fashioncnn.console.say import silence
from fashioncnn.console.stopping import stop_wish
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.sources.base import Size
from fashioncnn.errors import GivenUp
from fashioncnn.executors.base import Report
from fashioncnn.recipes.load import dump, validate
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run
from fashioncnn.sessions.session import Wishes, open_session
from fashioncnn.tracking.trackers import TrackerName
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.modules import offer, require, source_of
from fashioncnn.usercode.source import Source


@dataclass(frozen=True)
class Order:
    """Plain values that travel as JSON: a recipe as TOML, the seeds, where data and runs lie.

    `code` has the texts of the user's own files by name, and `code_folder` where they came from.
    Runs go to `subfolder` of the job's folder. With `judged`, the first seed reports each epoch.
    """

    recipe_toml: str
    seeds: tuple[int, ...]
    subfolder: str
    data: tuple[str | None, Size | None]
    device: DeviceName
    judged: bool = False
    track: tuple[TrackerName, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    code_folder: str = ""

    @classmethod
    def of(cls, recipe: Recipe, **others: Any) -> Order:
        """Return an order for `recipe`, with the files that it needs."""
        source = None
        if recipe.code:
            require(recipe.code, recipe.addresses)
            source = source_of(recipe.code)
        files, folder = (dict(source.files), str(source.folder)) if source else ({}, "")
        return cls(recipe_toml=dump(recipe), code=files, code_folder=folder, **others)

    def recipe(self) -> Recipe:
        """Return the recipe; whoever gave the order trusts its files."""
        recipe = validate(tomllib.loads(self.recipe_toml), "of a job")
        if self.code:
            offer(Source(self.code, Path(self.code_folder)), recipe.addresses)
        return recipe

    def to_json(self) -> dict[str, Any]:
        """Return the order as plain values."""
        return asdict(self)


@user_code()
def train_order(
    folder: Path, report: Report, told: Mapping[str, Any], data: DataSet | None = None
) -> dict[str, Any]:
    """Train every seed of an order below `folder`, going on with what was stopped there.

    Within one process, `data` may be handed in opened.

    Answers "accuracies", the best on validation of each seed (empty without validation), and
    "runs", their paths within `folder`. Where a report answers that the setting is hopeless,
    GivenUp is raised.
    """
    order = Order(**told)
    recipe = order.recipe()
    accuracies, runs = [], []
    judged = order.judged

    def after_epoch(record: Mapping[str, Any]) -> None:
        if judged and report([record["epoch"], record["val/accuracy"]]):
            raise GivenUp("hopeless beside other settings")

    wishes = Wishes(folder / order.subfolder, True, tuple(order.track), after_epoch)
    # As JSON, a size is a list.
    place, size = order.data
    opened = data or _data_set(place, (size[0], size[1]) if size else None)
    with (
        stop_wish() as wish,
        silence(),
        open_session(recipe, opened, order.device, wishes, wish) as session,
    ):
        for seed in order.seeds:
            run = session.train(seed)
            judged = False
            accuracies += best_accuracy(run)
            runs.append(str(run.path.relative_to(folder)))
    return {"accuracies": accuracies, "runs": runs}


@lru_cache(maxsize=1)
def _data_set(place: str | None, size: Size | None) -> DataSet:
    """Open a data set, once for all jobs of a process."""
    return DataSet(place, size)


def best_accuracy(run: Run) -> list[float]:
    """Return the best validation accuracy of a run, if it has any."""
    found = [record["val/accuracy"] for record in run.metrics]
    return [max(found)] if found and None not in found else []
