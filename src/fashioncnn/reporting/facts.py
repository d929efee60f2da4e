"""What the report knows of a run, or of a group of runs that differ in the seed alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.errors import RunError
from fashioncnn.evaluation.group import intervals
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import Scores
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import read_arrays, read_json

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class RunFacts:
    """One run: what its files say. Arrays and scores are None where not made yet."""

    run: Run
    recipe: Recipe
    provenance: dict[str, Any]
    metrics: list[dict[str, Any]]
    scores: Scores | None
    evaluation: dict[str, Any]
    predictions: Predictions | None
    confidence: dict[str, Any] | None
    cost: dict[str, Any] | None
    stress: dict[str, Any] | None
    unknown: dict[str, Any] | None
    confused: Arrays | None
    telling: Arrays | None
    filters: Arrays | None
    pictures: Arrays | None
    feature_maps: Arrays | None
    learning: Arrays | None
    units: Arrays | None
    unit_facts: dict[str, Any] | None
    attributions: Arrays | None
    attribution_checks: dict[str, Any] | None
    embedding: Arrays | None

    @property
    def seconds(self) -> float:
        """What training took, validation included."""
        return float(sum(record["train/seconds"] for record in self.metrics))


@dataclass(frozen=True)
class Group:
    """Runs of one recipe, differing in the seed."""

    runs: tuple[RunFacts, ...]

    @property
    def first(self) -> RunFacts:
        """The run whose pictures stand for the group."""
        return self.runs[0]

    @property
    def recipe(self) -> Recipe:
        """The recipe of all."""
        return self.first.recipe

    @property
    def scored(self) -> list[Scores]:
        """The scores of all runs."""
        return [run.scores for run in self.runs if run.scores]

    def intervals(self) -> dict[str, Interval]:
        """Return the interval of every test metric over pictures and seeds, by name."""
        return intervals([run.predictions for run in self.runs if run.predictions])

    def values(self, metric: str) -> NDArray[np.float64]:
        """Return one test metric's value for each run."""
        return np.array([scores.metrics()[metric] for scores in self.scored])

    def mean_std(self, metric: str) -> dict[str, float | None]:
        """Return one test metric's mean over the runs, and its spread where there are several."""
        values = self.values(metric)
        std = float(values.std(ddof=1)) if len(values) > 1 else None
        return {"mean": float(values.mean()), "std": std}

    def curves(self, metric: str) -> list[list[Any]]:
        """Return one figure of metrics.jsonl, by epoch, for each run that has it."""
        return [
            [record[metric] for record in run.metrics]
            for run in self.runs
            if run.metrics[0].get(metric) is not None
        ]

    @property
    def confusion(self) -> NDArray[np.float64]:
        """The confusion matrix, the mean over the runs."""
        return np.asarray(np.mean([scores.confusion for scores in self.scored], axis=0))


def read_facts(run: Run) -> RunFacts:
    """Read a run directory. Raises RunError when something in it is damaged."""
    scores_file = run.evaluation / "scores.json"
    confidence_file = run.evaluation / "confidence.json"
    evaluation = read_json(scores_file) if scores_file.exists() else {}
    try:
        scores = Scores.from_json(evaluation) if evaluation else None
    except (KeyError, TypeError):
        raise RunError(f"{scores_file}: not the scores of a run") from None
    cost_file = run.evaluation / "cost.json"
    unit_file = run.explanations / "units.json"
    attribution_checks = _of_weights(run.explanations / "attributions.json", evaluation)
    # Written before its checks, of the same weights.
    attributions = _arrays(run.explanations / "attributions.npz") if attribution_checks else None
    scored = evaluation.get("checkpoint", {}).get("sha256")
    embedding = _arrays(run.explanations / "embedding.npz")
    if embedding and str(embedding.get("checkpoint_sha256")) != scored:
        embedding = None
    return RunFacts(
        run=run,
        recipe=load(run.recipe_file),
        provenance=run.provenance,
        metrics=run.metrics,
        scores=scores,
        evaluation=evaluation,
        predictions=_predictions(run.evaluation / "predictions.npz"),
        confidence=read_json(confidence_file) if confidence_file.exists() else None,
        cost=read_json(cost_file) if cost_file.exists() else None,
        stress=_of_weights(run.evaluation / "stress.json", evaluation),
        unknown=_of_weights(run.evaluation / "unknown.json", evaluation),
        confused=_arrays(run.evaluation / "confused_pictures.npz"),
        telling=_arrays(run.evaluation / "telling_pictures.npz"),
        filters=_arrays(run.explanations / "filters.npz"),
        pictures=_arrays(run.explanations / "pictures.npz"),
        feature_maps=_arrays(run.explanations / "feature_maps.npz"),
        learning=_arrays(run.explanations / "learning.npz"),
        units=_arrays(run.explanations / "units.npz"),
        unit_facts=read_json(unit_file) if unit_file.exists() else None,
        attributions=attributions,
        attribution_checks=attribution_checks,
        embedding=embedding,
    )


def groups(runs: Sequence[Run]) -> list[Group]:
    """Read runs and put those of the same recipe together, in the order of first appearance."""
    by_recipe: dict[str, list[RunFacts]] = {}
    for facts in map(read_facts, runs):
        key = facts.recipe.name + json.dumps(facts.recipe.settings(), sort_keys=True)
        by_recipe.setdefault(key, []).append(facts)
    return [Group(tuple(of_recipe)) for of_recipe in by_recipe.values()]


def _of_weights(path: Path, evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what `path` says, where it is there and of the weights that were scored."""
    found = read_json(path) if path.exists() else None
    scored = evaluation.get("checkpoint", {}).get("sha256")
    same = isinstance(found, dict) and found.get("checkpoint_sha256") == scored
    return found if same else None


def _predictions(path: Path) -> Predictions | None:
    arrays = _arrays(path)
    return Predictions.from_arrays(arrays) if arrays else None


def _arrays(path: Path) -> Arrays | None:
    return read_arrays(path) if path.exists() else None
