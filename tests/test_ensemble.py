"""An ensemble's members learn as each would alone, and answer with their mean probability."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from conftest import make_pictures
from fashioncnn.explanation.embedding import features
from fashioncnn.explanation.feature_maps import feature_maps
from fashioncnn.models.ensemble import Ensemble, joint
from fashioncnn.models.strided_cnn import StridedCNN
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import validate
from fashioncnn.training.known_losses import KnownLosses
from fashioncnn.training.optimizers import muon
from fashioncnn.training.processes import Processes
from fashioncnn.training.state import TrainingState


def recipe_tables(members: int, optimizer: str = "muon") -> dict[str, Any]:
    return {
        "name": "ensemble",
        "data": {"validation_images": 0},
        "model": {
            "family": "strided-cnn",
            "channels": [4, 8],
            "blocks": [1, 1],
            "members": members,
        },
        "loss": {"label_smoothing": 0.1, "class_weights": {"Shirt": 2.0}},
        "optimizer": {"name": optimizer, "learning_rate": 0.01}
        | ({"sgd_learning_rate": 0.01} if optimizer == "muon" else {}),
        "training": {"epochs": 2, "batch_size": 50},
    }


def make_ensemble() -> Ensemble:
    torch.manual_seed(0)
    keywords: dict[str, Any] = {
        "in_channels": 1,
        "image_size": (28, 28),
        "classes": 10,
        "channels": [4],
        "blocks": [1],
    }
    return Ensemble(StridedCNN(**keywords) for _ in range(3))


def train(members: int, optimizer: str, weights: dict[str, Tensor] | None = None) -> TrainingState:
    recipe = validate(recipe_tables(members, optimizer), "test")
    splits = build_splits(recipe, make_pictures())
    fabric = Fabric(accelerator="cpu", devices=1)
    state = build_state(recipe, 10, 0, fabric.device)
    if weights is not None:
        state.network.load_state_dict(weights)
    for _ in build_training(recipe, splits, 0, Processes(fabric)).run(state):
        pass
    return state


@pytest.mark.parametrize("optimizer", ["muon", "sgd", "adam"])
def test_a_member_learns_as_it_would_alone(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Muon's matrix products in bf16 would make much of differences in the last digit.
    monkeypatch.setattr(muon, "has_bf16", lambda device: False)
    recipe = validate(recipe_tables(2, optimizer), "test")
    begun = build_state(recipe, 10, 0, torch.device("cpu")).network
    assert isinstance(begun, Ensemble)
    trained = train(2, optimizer).network
    assert isinstance(trained, Ensemble)
    for beginning, end in zip(begun.members, trained.members, strict=True):
        alone = train(1, optimizer, beginning.state_dict()).network.state_dict()
        for name, weight in end.state_dict().items():
            torch.testing.assert_close(weight, alone[name], rtol=1e-3, atol=1e-4, msg=name)


def test_members_begin_apart() -> None:
    one, two, three = (dict(member.named_parameters()) for member in make_ensemble().members)
    name = "layers.conv1.weight"
    assert not torch.equal(one[name], two[name])
    assert not torch.equal(two[name], three[name])


def test_the_answer_is_the_mean_probability() -> None:
    network, images = make_ensemble().eval(), torch.randn(5, 1, 28, 28)
    each = [member(images).softmax(1) for member in network.members]
    torch.testing.assert_close(network(images).softmax(1), torch.stack(each).mean(0))
    energies = [member(images).logsumexp(1) for member in network.members]
    torch.testing.assert_close(network(images).logsumexp(1), torch.stack(energies).mean(0))


def test_in_training_every_member_answers() -> None:
    network, images = make_ensemble().train(), torch.randn(5, 1, 28, 28)
    assert network(images).shape == (5, 10, 3)
    single = torch.randn(5, 10)
    assert joint(single) is single


def test_hard_pictures_are_those_that_the_members_fail_together() -> None:
    losses = KnownLosses(5, torch.device("cpu"))
    logits_NCM, labels = torch.randn(5, 10, 3), torch.arange(5)
    losses.note(torch.arange(5), joint(logits_NCM), labels)
    expected = -logits_NCM.softmax(1).mean(2)[torch.arange(5), labels].log()
    torch.testing.assert_close(losses.latest_N, expected)


def test_explanations_show_the_first_member_and_place_by_all() -> None:
    network, images = make_ensemble(), torch.randn(4, 1, 28, 28)
    maps = feature_maps(network, images)
    assert list(maps) == list(feature_maps(network.members[0], images))
    assert (maps["conv1"] == feature_maps(network.members[0], images)["conv1"]).all()
    placed = features(network, images)
    alone = [features(member, images) for member in network.members]
    assert placed.shape == (4, sum(one.shape[1] for one in alone))
    assert (placed[:, -alone[-1].shape[1] :] == alone[-1]).all()


def test_an_ensemble_of_any_family() -> None:
    tables = recipe_tables(2)
    tables["model"] = {"channels": [4], "hidden_features": [8], "members": 2}
    network = build_state(validate(tables, "test"), 10, 0, torch.device("cpu")).network
    assert isinstance(network, Ensemble)
    assert network.eval()(torch.randn(2, 1, 28, 28)).shape == (2, 10)
