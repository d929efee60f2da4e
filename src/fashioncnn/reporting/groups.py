"""Runs that were scored, and groups of them that differ in the seed alone, as pages need them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.errors import RunError
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.reporting.documents.parts import MeanStd
from fashioncnn.runs import artifacts
from fashioncnn.runs.artifact import Kept
from fashioncnn.runs.contents import ScoredSplit
from fashioncnn.runs.directory import Run


@dataclass(frozen=True)
class ScoredRun:
    """A run with its test scores; `recipe` is the whole recipe as plain tables.

    `settings` is what of it decides the weights, `recipe_toml` how it is written.
    """

    run: Run
    recipe: Mapping[str, Any]
    settings: Mapping[str, Any]
    recipe_toml: str
    provenance: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    scores: ScoredSplit
    predictions: Predictions
    kept: Kept

    @property
    def name(self) -> str:
        """The name of the recipe."""
        return str(self.recipe["name"])

    @property
    def seconds(self) -> float:
        """What training took, validation included."""
        return float(sum(record["train/seconds"] for record in self.metrics))


def read_run(
    kept: Kept, recipe: Mapping[str, Any], settings: Mapping[str, Any], recipe_toml: str
) -> ScoredRun:
    """Return a run as its files tell. Raises RunError where it has no scores, or no epochs."""
    run = kept.run
    scores, arrays = kept.get(artifacts.scores()), kept.get(artifacts.predictions())
    metrics = run.metrics
    if scores is None or arrays is None:
        raise RunError(f"{run.path} has no scores yet: evaluate it first")
    if not metrics:
        raise RunError(f"{run.metrics_file}: has no epoch")
    predictions = Predictions.from_arrays(arrays)
    if tuple(one.name for one in scores.classes) != predictions.class_names:
        raise RunError(f"{run.path}: its scores and its predictions have different classes")
    return ScoredRun(
        run, recipe, settings, recipe_toml, run.provenance, metrics, scores, predictions, kept
    )


@dataclass(frozen=True)
class Group:
    """Runs of one recipe, differing in the seed."""

    runs: tuple[ScoredRun, ...]

    @property
    def first(self) -> ScoredRun:
        """The run whose pictures stand for the group."""
        return self.runs[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.first.predictions.class_names

    @property
    def seconds(self) -> float:
        """What training took, the mean over the runs."""
        return sum(run.seconds for run in self.runs) / len(self.runs)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The interval of every test metric over pictures and seeds, by name."""
        return intervals([run.predictions for run in self.runs])

    @cached_property
    def _metrics(self) -> list[dict[str, float]]:
        return [run.scores.metrics() for run in self.runs]

    def values(self, metric: str) -> NDArray[np.float64]:
        """Return one test metric's value for each run."""
        return np.array([metrics[metric] for metrics in self._metrics])

    def mean_std(self, metric: str) -> MeanStd:
        """Return one test metric's mean over the runs, and its spread where there are several."""
        values = self.values(metric)
        std = float(values.std(ddof=1)) if len(values) > 1 else None
        return MeanStd(float(values.mean()), std)

    def curves(self, metric: str) -> tuple[tuple[Any, ...], ...]:
        """Return one figure of metrics.jsonl, by epoch, for each run that has it."""
        return tuple(
            tuple(record[metric] for record in run.metrics)
            for run in self.runs
            if all(record.get(metric) is not None for record in run.metrics)
        )

    @property
    def confusion(self) -> NDArray[np.float64]:
        """The confusion matrix, the mean over the runs."""
        return np.asarray(np.mean([run.scores.confusion for run in self.runs], axis=0))


def groups(runs: Sequence[ScoredRun]) -> list[Group]:
    """Put runs of the same recipe and data set together, in the order of first appearance."""
    by_recipe: dict[str, list[ScoredRun]] = {}
    for run in runs:
        known = run.run.trained_on
        # Runs of Fashion-MNIST before 0.3 do not say which pictures they are of.
        sha256 = None if known.kind == FashionMNIST.kind else known.sha256
        told = [run.name, run.settings, known.name, known.class_names, known.shape, sha256]
        key = json.dumps(told, sort_keys=True)
        by_recipe.setdefault(key, []).append(run)
    return [Group(tuple(of_recipe)) for of_recipe in by_recipe.values()]
