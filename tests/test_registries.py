"""A family, augmentation, loss, optimiser and schedule from outside the package."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

import fashioncnn as fc
from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.augmentations.base import PixelAugmentation
from fashioncnn.errors import CodeError, RecipeError
from fashioncnn.models import FAMILIES
from fashioncnn.models.family import ModelSettings
from fashioncnn.models.parts import Parts, hidden_convolutions, parts_of
from fashioncnn.recipes.keys import keys
from fashioncnn.recipes.load import dump, load
from fashioncnn.settings import Positive
from fashioncnn.training.losses import LOSSES
from fashioncnn.training.losses.base import LossSettings
from fashioncnn.training.optimizers import OPTIMIZERS
from fashioncnn.training.optimizers.base import OptimizerSettings
from fashioncnn.training.schedules import SCHEDULES
from fashioncnn.training.schedules.base import ScheduleSettings

pytestmark = pytest.mark.fast


class LinearSettings(ModelSettings):
    """One dense layer."""

    family: Literal["linear"] = "linear"
    scale: Positive = 1.0
    """Multiplies the class scores."""

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        pixels = in_channels * image_size[0] * image_size[1]
        return nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes), Scale(self.scale))


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, logits: Tensor) -> Tensor:
        return logits * self.factor


class Brightness(PixelAugmentation):
    key = "brightness_share"
    strength = Annotated[float, Field(ge=0, le=1, description="Of white, added at most.")]
    uniforms = 1

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        added = (255 * uniforms_NU[:, 0] * strength_N).view(-1, 1, 1, 1)
        return (images_NCHW + added).clamp(max=255).to(images_NCHW.dtype)


class RMSpropSettings(OptimizerSettings):
    """RMSprop."""

    name: Literal["rmsprop"] = "rmsprop"
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Of the squared gradients."""

    def build(self, network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(network.parameters(), self.learning_rate, self.smoothing)


class RootSettings(ScheduleSettings):
    """Fall as a square root."""

    name: Literal["root"] = "root"

    def decay(self, share: float) -> float:
        return math.sqrt(1 - share)


class MarginSettings(LossSettings):
    """A margin between the right class and the others."""

    name: Literal["margin"] = "margin"
    margin: Positive = 1.0
    """How much above the others the right class has to be."""

    def build(self, class_names: Sequence[str]) -> nn.Module:
        return nn.MultiMarginLoss(margin=self.margin)


@pytest.fixture
def outsiders() -> Iterator[None]:
    FAMILIES.register(LinearSettings)
    AUGMENTATIONS.register(Brightness())
    OPTIMIZERS.register(RMSpropSettings)
    SCHEDULES.register(RootSettings)
    LOSSES.register(MarginSettings)
    yield
    for registry, name in (
        (FAMILIES, "linear"),
        (AUGMENTATIONS, "brightness_share"),
        (OPTIMIZERS, "rmsprop"),
        (SCHEDULES, "root"),
        (LOSSES, "margin"),
    ):
        registry.unregister(name)


RECIPE = """
name = "outside"
[data]
validation_images = 100
[augmentation]
brightness_share = 0.2
[model]
family = "linear"
scale = 0.5
[loss]
name = "margin"
margin = 0.5
[optimizer]
name = "rmsprop"
smoothing = 0.9
[schedule]
name = "root"
[training]
epochs = 3
"""


@pytest.mark.usefixtures("tiny_data", "outsiders")
def test_one_of_each_trains_and_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "outside.toml"
    path.write_text(RECIPE)
    run = fc.train(path, out=tmp_path / "runs", device="cpu")
    assert run.metrics[-1]["val/accuracy"] > 0.8
    assert load(run.recipe_file) == load(path)
    plain = fc.train(path, changes={"augmentation.brightness_share": 0.0}, out=tmp_path / "plain")
    assert plain.metrics[0]["train/loss"] != run.metrics[0]["train/loss"]
    assert "outside on tiny" in fc.report(run, device="cpu").read_text()


@pytest.mark.usefixtures("outsiders")
def test_recipes_and_listings_know_them() -> None:
    recipe = load("two-conv", ["model.family=linear", "optimizer.name=rmsprop"])
    assert isinstance(recipe.model, LinearSettings)
    assert isinstance(recipe.optimizer, RMSpropSettings)
    listed = {key.name: key for key in keys()}
    assert listed["model.scale"].choice == "family = linear"
    assert listed["model.scale"].meaning == "Multiplies the class scores."
    assert listed["augmentation.brightness_share"].allowed == "a number at least 0 and at most 1"
    with pytest.raises(RecipeError, match=r"optimizer\.smoothing is 2; it must be a number at"):
        load("two-conv", ["optimizer.name=rmsprop", "optimizer.smoothing=2"])
    with pytest.raises(RecipeError, match=r"by_class\.Shirt\.brightness_share is 3"):
        load("two-conv", ["augmentation.by_class.Shirt.brightness_share=3"])


def test_they_are_gone_afterwards() -> None:
    with pytest.raises(RecipeError, match="must be one of plain-cnn, strided-cnn, separable-cnn"):
        load("two-conv", ["model.family=linear"])
    assert "model.scale" not in {key.name for key in keys()}


def test_every_key_has_bounds_and_a_meaning() -> None:
    for key in keys():
        assert key.allowed, key.name
        assert key.meaning, key.name
    assert {key.name for key in keys() if key.required} == {
        "name",
        "model.channels",
        "model.hidden_features",
        "model.blocks",
        "selection.full_epochs",
        "selection.kept_share",
        "progressive_resizing.image_scales",
        "progressive_resizing.epoch_shares",
        "freezing.after_share",
    }


def test_another_choice_leaves_what_only_the_former_had() -> None:
    changed = load("fast-93", ["optimizer.name=adam"])
    assert "momentum" not in dump(changed)
    assert changed.optimizer.weight_decay == load("fast-93").optimizer.weight_decay
    with pytest.raises(RecipeError, match=r"unknown key optimizer\.momentum; allowed"):
        load("fast-93", ["optimizer.name=adam", "optimizer.momentum=0.5"])
    # The default of another optimiser is no less of a mistake.
    with pytest.raises(RecipeError, match=r"unknown key optimizer\.momentum; allowed"):
        load("two-conv", ["optimizer.momentum=0.9"])


def test_whole_recipes_of_version_0_1_load(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(
        'name = "old"\n[model]\nchannels = [4]\nhidden_features = []\n'
        '[optimizer]\nname = "adam"\nmomentum = 0.9\nsgd_learning_rate = 1.0\n'
        '[schedule]\nname = "constant"\nfinal_factor = 0.0\n'
    )
    assert load(path).optimizer.name == "adam"
    path.write_text(path.read_text().replace("momentum = 0.9", "momentum = 0.8"))
    with pytest.raises(RecipeError, match=r"unknown key optimizer\.momentum"):
        load(path)


def test_changes_as_a_mapping_and_a_recipe_as_it_is() -> None:
    one = load("two-conv", {"model.channels": (8, 16), 'loss.class_weights."Ankle boot"': 2})
    other = load("two-conv", ["model.channels=[8, 16]", 'loss.class_weights."Ankle boot"=2'])
    assert one == other
    assert load(one, {"model.dropout": 0.5}) == load(other, ["model.dropout=0.5"])
    assert load(one) == one


class Told(nn.Module):
    """Its parts are made in another order than they are used."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 10)
        self.late = nn.Conv2d(4, 4, 3)
        self.early = nn.Conv2d(1, 4, 3)

    def parts(self) -> Parts:
        return Parts(self.early, self.head, {"early": self.early, "late": self.late})


def test_a_network_tells_its_parts_or_they_are_guessed() -> None:
    told = Told()
    assert parts_of(told).stem is told.early
    assert hidden_convolutions(told) == [told.late]
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 10))
    guessed = parts_of(plain)
    assert (guessed.stem, guessed.head) == (plain[0], plain[3])
    assert list(guessed.shown) == ["0", "1", "3"]
    # The first convolution is the stem whatever its channels.
    assert hidden_convolutions(plain) == []
    with pytest.raises(CodeError, match=r"no nn\.Conv2d and no nn\.Linear"):
        parts_of(nn.Sequential(nn.ReLU()))
    # Layers whose weights are computed are layers.
    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    guessed = parts_of(nn.Sequential(normed, nn.Flatten(), plain[3]))
    assert (guessed.stem, list(guessed.shown)) == (normed, ["0", "2"])
