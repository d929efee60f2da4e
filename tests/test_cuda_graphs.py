"""Steps that are replayed on a GPU, against the same steps taken one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from conftest import make_pictures
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.training.cuda_graphs import STEPS_BEFORE_RECORDING
from fashioncnn.training.device import fabric_for
from fashioncnn.training.processes import Processes

CHANGES: dict[str, dict[str, Any]] = {
    "fast-94": {"training.epochs": 4},
    "fast-95": {"training.epochs": 4, "averaging.ema_decay": 0.9},
    "fast-93 frozen": {"training.epochs": 4, "freezing": {"after_share": 0.5, "stages": 1}},
    "two-conv": {"optimizer.name": "sgd", "optimizer.learning_rate": 0.05},
    "two-conv adam": {},
    "two-conv adamw": {"optimizer.name": "adamw"},
}
# The last batch of each epoch is smaller, and no shape is seen too rarely to be recorded.
BATCH_SIZE, PICTURES = 64, 64 * 2 * (STEPS_BEFORE_RECORDING + 2) + 20


def losses(recipe: Recipe, *, recordable: bool) -> list[float]:
    """Return the loss of each epoch."""
    splits = build_splits(recipe, make_pictures(PICTURES))
    fabric = fabric_for("cuda", "fp32")
    state = build_state(recipe, 10, 0, fabric.device, len(splits.train))
    training = build_training(recipe, splits, 0, Processes(fabric))
    records = replace(training, recordable=recordable).run(state)
    return [record.train_loss for record in records]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("name", CHANGES)
def test_replayed_steps_train_as_single_ones(name: str) -> None:
    changes = {"training.batch_size": BATCH_SIZE, "training.epochs": 3, **CHANGES[name]}
    changes |= {"data.validation_images": 0, "schedule.warmup_epochs": 1}
    recipe = load(name.split()[0], changes)
    replayed, single = (losses(recipe, recordable=recordable) for recordable in (True, False))
    assert single[-1] < single[0]
    # Sums of atomic additions differ from run to run, and training magnifies that.
    assert replayed[:2] == pytest.approx(single[:2], rel=0.03)
    assert replayed == pytest.approx(single, rel=0.5)
