"""What the benchmarks share: where results go, means and spreads, one-thread trainings, a fit."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from fashioncnn.benchmarking.commands import run
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.splits import Splits
from fashioncnn.evaluation.summary import summarise
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.provenance import versions
from fashioncnn.training.device import fabric_for, hardware
from fashioncnn.training.loop import Training
from fashioncnn.training.processes import Processes
from fashioncnn.training.state import TrainingState

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs" / "findings"
J = TypeVar("J")
A = TypeVar("A")


def write_result(name: str, facts: Mapping[str, Any]) -> None:
    """Put `facts` at results/<name>.json, with hardware and versions."""
    where = {"hardware": hardware(torch.device("cpu")), "versions": versions()}
    (RESULTS / f"{name}.json").write_text(json.dumps({**facts, **where}, indent=2) + "\n")


def mean_std(values: Sequence[float], digits: int = 2) -> str:
    """Write values as "mean ± standard deviation", or as one value."""
    one = summarise([{"": value} for value in values])[""]
    spread = "" if one["std"] is None else f" ± {one['std']:.{digits}f}"
    return f"{one['mean']:.{digits}f}{spread}"


def train_on_one_thread(*words: str) -> Path:
    """Train by the command line on one thread; return the run."""
    command = [sys.executable, "-m", "fashioncnn", "train", *words, "--device", "cpu", "--json"]
    return Path(run(command, {"OMP_NUM_THREADS": "1"}).answer["runs"][0])


def side_by_side(work: Callable[[J], A], jobs: Iterable[J]) -> list[A]:
    """Do jobs that take one thread each, as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, jobs))


def fit(recipe: Recipe, image_count: int | None = None) -> tuple[Training, TrainingState]:
    """Return the training of `recipe` on the first pictures, all unless told, and its state."""
    fabric = fabric_for("cpu", recipe.training.precision)
    splits = build_splits(recipe, DataSet().train)
    if image_count is not None:
        few = splits.train.take(np.arange(image_count))
        splits = Splits(few, splits.validation, splits.validation_indices)
    state = build_state(recipe, splits.train.classes, 0, fabric.device, len(splits.train))
    return build_training(recipe, splits, 0, Processes(fabric)), state
