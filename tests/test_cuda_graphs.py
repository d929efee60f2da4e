"""Steps that are replayed on a GPU, against the same steps taken one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conftest import make_pictures
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.training.cuda_graphs import STEPS_BEFORE_RECORDING
from fashioncnn.training.device import fabric_for
from fashioncnn.training.optimizers.muon import MuonSettings
from fashioncnn.training.processes import Processes

CHANGES: dict[str, dict[str, Any]] = {
    "fast-94": {"training.epochs": 4},
    "fast-95": {"training.epochs": 4, "averaging.ema_decay": 0.9},
    "fast-93 frozen": {"training.epochs": 4, "freezing": {"after_share": 0.5, "stages": 1}},
    "two-conv": {"training.epochs": 2, "optimizer.name": "sgd"},
    "two-conv adam": {"training.epochs": 2},
    "two-conv adamw": {"training.epochs": 2, "optimizer.name": "adamw"},
}
# The last batch of each epoch is smaller, and no shape is seen too rarely to be recorded.
BATCH_SIZE, PICTURES = 64, 64 * 2 * (STEPS_BEFORE_RECORDING + 2) + 20


def trained(recipe: Recipe, *, recordable: bool) -> dict[str, Tensor]:
    splits = build_splits(recipe, make_pictures(PICTURES))
    fabric = fabric_for("cuda", recipe.training.precision)
    state = build_state(recipe, 10, 0, fabric.device, len(splits.train))
    training = build_training(recipe, splits, 0, Processes(fabric))
    for record in replace(training, recordable=recordable).run(state):
        last = record
    assert last.train_loss < 2.0
    return {name: value.cpu() for name, value in state.predictor.state_dict().items()}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("name", CHANGES)
def test_replayed_steps_train_as_single_ones(name: str) -> None:
    changes = {"training.batch_size": BATCH_SIZE, "data.validation_images": 0, **CHANGES[name]}
    if "schedule" not in changes:
        changes["schedule.warmup_epochs"] = 1
    recipe = load(name.split()[0], changes)
    replayed, single = (trained(recipe, recordable=recordable) for recordable in (True, False))
    for key, value in single.items():
        distance = (replayed[key].float() - value.float()).norm() / (value.float().norm() + 1e-6)
        # Sums of atomic additions differ a little from run to run.
        assert distance < 0.1, key


def test_muon_takes_its_rate_as_a_number_or_a_tensor() -> None:
    def stepped(as_tensor: bool) -> list[Tensor]:
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8, 2)
        )
        optimizer = MuonSettings(learning_rate=0.1, sgd_learning_rate=0.3).build(network)
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"]) if as_tensor else group["lr"]
        for _ in range(3):
            optimizer.zero_grad()
            network(torch.ones(2, 1, 5, 5)).square().sum().backward()
            optimizer.step()
        return list(network.parameters())

    for one, other in zip(stepped(True), stepped(False), strict=True):
        torch.testing.assert_close(one, other)
