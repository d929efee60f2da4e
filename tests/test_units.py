"""Channels: fields, peaks, patches by hand; activation maximisation maximises activations."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fashioncnn as fc
from fashioncnn.data.preparation import Preparation
from fashioncnn.explanation.learning import learning
from fashioncnn.explanation.maximisation import maximise
from fashioncnn.explanation.units import patches, units
from fashioncnn.models.parts import parts_of
from fashioncnn.models.plain_cnn import PlainCNN
from fashioncnn.models.strided_cnn import StridedCNN
from fashioncnn.opening.trained import open_trained

LIMITS = (torch.tensor(0.0), torch.tensor(1.0))


def networks() -> list[nn.Module]:
    torch.manual_seed(1)
    strided = StridedCNN(
        in_channels=1,
        image_size=(28, 28),
        classes=10,
        channels=(6, 8),
        blocks=(1, 1),
        residual=True,
    )
    plain = PlainCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=(6, 8), hidden_features=(8,)
    )
    same = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding="same"),
        nn.Conv2d(4, 4, 3, padding="same", dilation=2),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding="valid"),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 13 * 13, 10),
    )
    return [strided.eval(), plain.eval(), same.eval()]


@pytest.mark.parametrize("network", networks(), ids=["strided", "plain", "same"])
def test_a_place_sees_its_field_and_nothing_else(network: nn.Module) -> None:
    image = torch.rand(1, 1, 28, 28)
    for layer, found in units(network, image).items():
        answers: list[torch.Tensor] = []
        module = parts_of(network).shown[layer]
        hook = module.register_forward_hook(lambda m, i, out, to=answers: to.append(out.clone()))
        size, step, start = found.field.size, found.field.step, found.field.start
        row, column = 2, 1
        network(image)
        inside = image.clone()
        top, left = row * step + start, column * step + start
        keep = torch.zeros(28, 28, dtype=torch.bool)
        keep[max(0, top) : top + size, max(0, left) : left + size] = True
        inside[..., ~keep] = torch.rand(int((~keep).sum()))
        network(inside)
        hook.remove()
        before, after = (answer[0, :, row, column] for answer in answers)
        torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-6)
        assert not torch.allclose(answers[0], answers[1], rtol=1e-4, atol=1e-6) or keep.all()


def test_peaks_places_and_patches_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.ReLU())
    weight = torch.zeros(3, 1, 3, 3)
    weight[0, 0, 1, 1], weight[1, 0, 1, 1], weight[2, 0, 1, 1] = 1, 2, -1
    network[0].weight.data = weight
    images = torch.randint(0, 30, (4, 1, 9, 9)) / 255
    for picture in range(4):
        images[picture, 0, picture + 1, 5] = (1.0 + picture) / 5
    (found,) = units(network, images).values()
    np.testing.assert_allclose(found.peaks[:, 0], [0.2, 0.4, 0.6, 0.8])
    assert found.places[:, 0].tolist() == [[1, 5], [2, 5], [3, 5], [4, 5]]
    assert found.dead == (2,)
    assert found.alike == ((0, 1),)
    cut = patches(found, Preparation().undo(images), 0, 2)
    assert cut.shape == (2, 3, 3, 1)
    assert cut[:, 1, 1, 0].tolist() == [204, 153]
    np.testing.assert_allclose(cut[0, :, :, 0], 255 * images[3, 0, 3:6, 4:7], atol=1e-3)


@pytest.mark.usefixtures("tiny_data")
def test_activation_maximisation(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, changes=["training.epochs=6"], out=tmp_path, device="cpu")
    network = open_trained(run, "last").network
    layer = list(units(network, torch.rand(2, 1, 28, 28)))[-1]
    made, of_channels = maximise(network, 10, {layer: [0, 3]}, (1, 28, 28), LIMITS)
    assert made.shape == (10, 28, 28, 1)
    assert made.min() >= 0
    assert made.max() <= 1
    with torch.no_grad():
        answers = network(torch.from_numpy(made).permute(0, 3, 1, 2)).argmax(1)
    assert answers.tolist() == list(range(10))

    channels = of_channels[layer]
    heard: list[torch.Tensor] = []
    hook = (
        parts_of(network)
        .shown[layer]
        .register_forward_hook(
            lambda module, inputs, output: heard.append(output.flatten(2).mean(2))
        )
    )
    network(torch.from_numpy(channels).permute(0, 3, 1, 2))
    network(torch.rand(50, 1, 28, 28))
    hook.remove()
    made_answers, others = heard
    assert made_answers[0, 0] > others[:, 0].max()
    assert made_answers[1, 3] > others[:, 3].max()
    again, _ = maximise(network, 10, {layer: [0, 3]}, (1, 28, 28), LIMITS)
    np.testing.assert_array_equal(made, again)


def test_how_those_filters_came_about_that_changed_most() -> None:
    torch.manual_seed(0)
    before = PlainCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=(12, 4), hidden_features=(8,)
    ).eval()
    after = copy.deepcopy(before)
    changes = {0: 3.0, 1: -4.0, 11: 0.1, **dict.fromkeys(range(3, 10), 1.0)}
    with torch.no_grad():
        for number, change in changes.items():
            after.layers.conv1.weight[number] += change  # type: ignore[index, operator, union-attr]
    found = learning({0: before, 5: after}, torch.randn(1, 1, 28, 28), ["pool1_relu"])
    assert found["epochs"].tolist() == [0, 5]
    mine = after.layers.conv1.weight.detach()[sorted(changes), 0]  # type: ignore[operator, union-attr]
    np.testing.assert_array_equal(found["filters"][1], mine)
