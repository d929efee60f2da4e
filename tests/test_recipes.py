from __future__ import annotations

import importlib
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.errors import RecipeError
from fashioncnn.models.plain_cnn import PlainCNNSettings
from fashioncnn.models.strided_cnn import StridedCNNSettings
from fashioncnn.recipes.build import (
    build_augmentation,
    build_freezing,
    build_network,
    build_preparation,
    build_resizing,
    build_state,
)
from fashioncnn.recipes.files import builtin_names, cut, read_text
from fashioncnn.recipes.load import Changes, differences, dump, load

pytestmark = pytest.mark.fast

BASE = 'name = "mine"\n[model]\nchannels = [4]\nhidden_features = []\n'


def refused(recipe: str | Path, changes: Changes = ()) -> str:
    with pytest.raises(RecipeError) as caught:
        load(recipe, changes, CLASSES)
    return str(caught.value)


@pytest.mark.parametrize(("name", "most"), [("micro", 10_000), ("tiny", 100_000)])
def test_small_recipes_are_as_small_as_they_say(name: str, most: int) -> None:
    network = build_network(load(name), 10)
    assert sum(one.numel() for one in network.parameters()) < most


@pytest.mark.parametrize("name", builtin_names())
class TestBuiltInContract:
    def test_is_complete_and_survives_a_round_trip(self, name: str, tmp_path: Path) -> None:
        recipe = load(name)
        assert recipe.name == name
        assert recipe.summary
        path = tmp_path / "copy.toml"
        path.write_text(dump(recipe))
        assert load(path) == recipe
        assert dump(load(path)) == dump(recipe)

    def test_builds_a_network_that_takes_its_pictures(self, name: str) -> None:
        recipe = load(name)
        state = build_state(recipe, 10, 0, torch.device("cpu"))
        images = build_preparation(recipe)(torch.zeros(4, 1, 28, 28, dtype=torch.uint8))
        assert state.network.eval()(images).shape == (4, 10)
        build_augmentation(recipe, CLASSES)
        recipe.loss.build(CLASSES)

    def test_seed_decides_the_weights(self, name: str) -> None:
        recipe = load(name)
        one, same, other = (
            build_state(recipe, 10, seed, torch.device("cpu")).network.state_dict()
            for seed in (1, 1, 2)
        )
        assert all(torch.equal(one[key], same[key]) for key in one)
        assert any(not torch.equal(one[key], other[key]) for key in one)

    def test_trains_in_fp32_unless_it_says_otherwise(self, name: str) -> None:
        assert "precision" in read_text(name)
        if load(name).reported is not None:
            assert load(name).training.precision == "fp32"


def test_two_conv_is_the_first_seed_system() -> None:
    recipe = load("two-conv")
    assert recipe.data.image_size == 32
    prepared = build_preparation(recipe)(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    assert (float(prepared.min()), float(prepared.max())) == (-1, 1)
    assert recipe.augmentation.horizontal_flip_probability == 0.5
    assert recipe.augmentation.rotation_degrees > 0
    kinds = [type(layer).__name__ for layer in build_network(recipe, 10).layers]  # type: ignore[union-attr]
    assert kinds.count("Conv2d") == kinds.count("ReLU") - 1 == kinds.count("MaxPool2d") == 2
    assert "BatchNorm2d" not in kinds
    assert isinstance(recipe.model, PlainCNNSettings)
    assert recipe.model.dropout == 0.3
    assert (recipe.optimizer.name, recipe.optimizer.learning_rate) == ("adam", 0.001)
    assert (recipe.training.batch_size, recipe.training.epochs) == (64, 10)
    assert recipe.training.precision == "fp32"
    changed = load("two-conv", ["model.dropout=0.5"]).model
    assert isinstance(changed, PlainCNNSettings)
    assert changed.dropout == 0.5


def test_three_conv_is_the_second_seed_system() -> None:
    recipe = load("three-conv")
    assert recipe.data.image_size == 28
    assert isinstance(recipe.model, PlainCNNSettings)
    assert len(recipe.model.channels) == 3
    assert recipe.model.hidden_activation == "sigmoid"
    assert recipe.model.hidden_batch_norm
    assert recipe.model.initialisation == "xavier"
    assert not build_augmentation(recipe, CLASSES).active()
    assert (recipe.optimizer.name, recipe.optimizer.learning_rate) == ("adam", 0.001)
    assert (recipe.training.batch_size, recipe.training.epochs) == (1024, 10)
    assert recipe.reported is not None
    assert set(recipe.reported.classes) == set(CLASSES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("optimizer.lerning_rate=1", "unknown key optimizer.lerning_rate; did you mean learning_r"),
        ("speed=9", "unknown key speed; allowed: name, summary, data"),
        ("optimizer.learning_rate=fast", '"fast"; it must be a number above 0'),
        ("optimizer.learning_rate=-1", "is -1; it must be a number above 0"),
        ("optimizer.learning_rate=nan", "it must be a number above 0"),
        ("optimizer.name=adamm", '"adamm"; it must be one of adam, adamw, sgd, muon'),
        ("training.epochs=2.5", "2.5; it must be a whole number at least 1 and at most 10000"),
        ("training.batch_size=true", "true; it must be a whole number at least 1"),
        ("model.dropout=1.0", "1.0; it must be a number at least 0 and below 1"),
        ("model.channels=32", "32; it must be a list of 1 to 6 entries: whole number"),
        ("model.channels=[32, 'a']", "model.channels.1 is"),
        ("model.batch_norm=yes", '"yes"; it must be true or false'),
        ("model=3", "model is 3; it must be a table"),
        ("data.image_size=8", None),
        ("data.image_size=x", 'data.image_size is "x"; it must be a whole number at least 8'),
        ("data.pixel_mean=[1, 2]", "data.pixel_mean is [1, 2]; it must be a number, or a list of"),
        ("model.channels=[4,4,4,4,4]", "5 entries, each halving the picture: a side of 28 pixels"),
        (
            "model.family=resnet",
            'model.family is "resnet"; it must be one of plain-cnn, strided-cnn, separable-cnn',
        ),
        ("model.blocks=[1]", "unknown key model.blocks; allowed: family, members, channels"),
        ("schedule.warmup_epochs=10", "schedule.warmup_epochs is 10; it must be below"),
        ("loss.class_weights.Skirt=2", "loss.class_weights names the class 'Skirt'; the classes"),
        ("augmentation.by_class.Skirt.rotation_degrees=2", "names the class 'Skirt'"),
        ("augmentation.by_class.Shirt.rotate=2", "unknown key augmentation.by_class.Shirt.rotate"),
        ("training.shuffle=1", "training.shuffle is 1; it must be true or false"),
        (
            "progressive_resizing={image_scales=[0.5], epoch_shares=[0.3]}",
            "networks of the family plain-cnn take pictures of one size",
        ),
        (
            "progressive_resizing={image_scales=[2], epoch_shares=[0.3]}",
            "progressive_resizing.image_scales.0 is 2; it must be a number above 0 and below 1",
        ),
        ("freezing.after_share=0.5", "family plain-cnn has no stages that can rest"),
        ("loss.class_weights=3", "loss.class_weights is 3; it must be a table"),
    ],
)
def test_one_wrong_key_is_one_line(change: str, words: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BASE)
    if words is None:
        load(path, [change])
        return
    message = refused(path, [change])
    assert words in message
    assert "\n" not in message


def test_as_many_stages_as_can_may_rest() -> None:
    recipe = load("fast-93", ["freezing.after_share=0.5", "freezing.stages=1"])
    assert recipe.freezing
    assert recipe.freezing.stages == 1


@pytest.mark.parametrize(
    ("after_share", "epochs"), [(0.01, 1), (0.5, 7), (0.7, 9), (0.72, 10), (0.99, 13)]
)
def test_stages_rest_after_whole_epochs(after_share: float, epochs: int) -> None:
    """One at the least, and not in the whole of the last; 0.7 of 14 is 9.799…, 0.99 is 13.86."""
    recipe = load("fast-93", [f"freezing.after_share={after_share}", "freezing.stages=1"])
    assert recipe.training.epochs == 14
    freezing = build_freezing(recipe)
    assert freezing
    assert freezing.after_epochs == epochs


@pytest.mark.parametrize("length", [59, 60, 61, 300])
def test_what_is_long_is_cut(length: int) -> None:
    assert len(cut("x" * length)) == min(length, 60)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["freezing.after_share=0.5", "freezing.stages=2"], "at most 1 can rest"),
        (["freezing.after_share=1"], "is 1; it must be a number above 0 and below 1"),
        (["freezing.stages=1"], "freezing.after_share is missing"),
        (
            ["progressive_resizing={image_scales=[0.5, 0.7], epoch_shares=[0.3]}"],
            "image_scales has 2 entries and progressive_resizing.epoch_shares 1; both need one a",
        ),
        (
            ["progressive_resizing={image_scales=[0.5, 0.7], epoch_shares=[0.3, 0.7]}"],
            "epoch_shares add up to 1; they must leave some epochs for the whole size",
        ),
        (
            ["progressive_resizing={image_scales=[0.5, 0.6, 0.7], epoch_shares=[0.7, 0.2, 0.1]}"],
            "epoch_shares add up to 1;",
        ),
        (["progressive_resizing.image_scales=[]"], "is []; it must be a list of 1 to 10 entries"),
        (
            ["model={family='strided-cnn', channels=[4], blocks=[1]}", "freezing.after_share=0.5"],
            "the last alone",
        ),
        (
            ["progressive_resizing={image_scales=[0.1], epoch_shares=[0.3]}"],
            "0.1: model.channels has 2 entries, each halving the picture: a side of 3 pixels",
        ),
    ],
)
def test_frozen_stages_and_small_pictures_have_bounds(changes: list[str], words: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(words)):
        load("fast-93", changes)


@pytest.mark.parametrize(("epochs", "sizes"), [(1, "w"), (2, "mw"), (10, "sssmmmwwww")])
def test_small_pictures_come_in_their_share_of_any_number_of_epochs(
    epochs: int, sizes: str
) -> None:
    table = "progressive_resizing={image_scales=[0.5, 0.7], epoch_shares=[0.3, 0.3]}"
    recipe = load("fast-92", [table, f"training.epochs={epochs}", "schedule.warmup_epochs=0"])
    resizing = build_resizing(recipe)
    assert resizing is not None
    found = [resizing.image_size(epoch, (28, 28)) for epoch in range(epochs)]
    by_letter = {"s": (14, 14), "m": (20, 20), "w": (28, 28)}
    assert found == [by_letter[letter] for letter in sizes]


def test_another_network_drops_what_it_may_not_be_able_to_do() -> None:
    other = ["model.family=plain-cnn", "model.channels=[4]", "model.hidden_features=[8]"]
    assert load("fast-93", other).progressive_resizing is None
    assert load("fast-93", ["model.channels=[4, 8]"]).progressive_resizing is not None
    with pytest.raises(RecipeError, match="take pictures of one size"):
        load("fast-93", [*other, "progressive_resizing={image_scales=[0.5], epoch_shares=[0.5]}"])


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("two-conv", []),
        ("fast-93", ["model.blocks=[]"]),
        ("micro", ["model.blocks=[]"]),
    ],
)
def test_a_network_has_a_stage_at_least(name: str, more: list[str]) -> None:
    with pytest.raises(RecipeError, match=r"model\.channels is \[\]; .* 1 to 6 entries"):
        load(name, ["model.channels=[]", *more])


@pytest.mark.parametrize("name", ["fast-93", "micro"])
def test_a_stage_has_a_hundred_blocks_at_most(name: str) -> None:
    blocks = [101, *load(name).settings()["model"]["blocks"][1:]]
    with pytest.raises(RecipeError, match=r"model\.blocks\.0 is 101; .* at most 100"):
        load(name, [f"model.blocks={blocks}"])


def test_what_a_recipe_does_without_is_none_of_its_settings() -> None:
    assert "progressive_resizing" not in load("two-conv").settings()


def test_all_faults_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[model]\nchannels = []\n[optimizer]\nlearning_rate = "fast"\nspeed = 3\n'
        "[loss]\nclass_weights = { Skirt = 1.0, Shirt = -1 }\n"
    )
    message = refused(path)
    for words in (
        "name is missing",
        "model.channels is []",
        "model.hidden_features is missing",
        'optimizer.learning_rate is "fast"',
        "unknown key optimizer.speed",
        "loss.class_weights.Shirt is -1",
        "'Skirt'",
    ):
        assert words in message
    assert len(message.splitlines()) == 8


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("optimizer.learning_rate=0.002", ("optimizer", "learning_rate", 0.002)),
        ("optimizer.name=sgd", ("optimizer", "name", "sgd")),
        ('optimizer.name = "sgd"', ("optimizer", "name", "sgd")),
        ("model.channels=[8, 16, 32]", ("model", "channels", (8, 16, 32))),
        ('loss.class_weights."Ankle boot"=2', ("loss", "class_weights", {"Ankle boot": 2})),
    ],
)
def test_changes(change: str, expected: tuple[str, str, Any]) -> None:
    table, key, value = expected
    assert getattr(getattr(load("two-conv", [change]), table), key) == value


def test_a_change_keeps_its_neighbours_and_takes_the_promise() -> None:
    recipe = load("two-conv", ["training.epochs=3"])
    assert recipe.training.batch_size == 64
    assert recipe.promise is None


@pytest.mark.parametrize("change", ["dropout", "=3", "a b=3", "[x]=3"])
def test_a_change_that_is_none(change: str) -> None:
    assert f"--set {change!r}" in refused("two-conv", [change])


def test_no_such_recipe_lists_those_there_are() -> None:
    assert refused("four-conv").endswith(f"nor one of {', '.join(builtin_names())}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name = ", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = " + b"[" * 5000, "not valid TOML|nested too deeply"),
        (b"#" * (2 << 20), "larger than"),
    ],
)
def test_files_that_are_no_recipes(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=words):
        load(path)


def test_differences_name_what_decides_the_weights() -> None:
    plain, other = load("two-conv"), load("two-conv", ["model.dropout=0.5", "name=other"])
    assert differences(plain, plain) == []
    assert differences(plain, other) == ["model.dropout 0.3, not 0.5"]


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(1e-6, 10),
    epochs=st.integers(1, 500),
    dropout=st.floats(0, 0.99),
    channels=st.lists(st.integers(1, 64), min_size=1, max_size=4),
    weight=st.floats(0.01, 100),
)
def test_any_recipe_survives_a_round_trip(
    rate: float, epochs: int, dropout: float, channels: list[int], weight: float
) -> None:
    import tempfile

    recipe = load(
        "two-conv",
        [
            f"optimizer.learning_rate={rate!r}",
            f"training.epochs={epochs}",
            f"model.dropout={dropout!r}",
            f"model.channels={channels}",
            f"loss.class_weights.Shirt={weight!r}",
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.toml"
        path.write_text(dump(recipe))
        assert load(path) == recipe


def test_a_first_stage_on_every_pixel_halves_once_less() -> None:
    stages = ["model.channels=[4, 4, 4, 4, 4]", "model.blocks=[0, 0, 0, 0, 0]"]
    model = load("fast-92", [*stages, "model.stem_stride=1"]).model
    assert isinstance(model, StridedCNNSettings)
    assert model.halvings == 4
    with pytest.raises(
        RecipeError, match=r"each halving the picture: a side of 28 pixels allows at"
    ):
        load("fast-92", stages)
    six = ["model.channels=[4, 4, 4, 4, 4, 4]", "model.blocks=[0, 0, 0, 0, 0, 0]"]
    with pytest.raises(RecipeError, match=r"each but the first halving .* allows at most 5"):
        load("fast-92", [*six, "model.stem_stride=1"])


@pytest.mark.parametrize(
    "text",
    [
        "training.epochs = " + "9" * 5000,
        "[training]\n" + "".join(f"key_{number} = 1\n" for number in range(50_000)),
        "[training]\n" + "".join(f"key_{number} = 1\n" for number in range(4000)),
        "model.channels = [" + "1," * 4000 + "]",
        "[loss.class_weights]\n" + "".join(f"c{number} = 1\n" for number in range(4000)),
        "a = " + "[" * 400 + "]" * 400,
    ],
)
def test_endless_recipes_are_refused_fast_and_briefly(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text + "\n" if text.startswith("a") else BASE + text)
    started = time.process_time()
    message = refused(path)
    assert time.process_time() - started < 4
    assert len(message) < 5000


def test_the_reference_has_each_key_with_its_bounds_and_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = Path(__file__).parent.parent
    monkeypatch.syspath_prepend(root / "tools")
    page = root / "docs" / "reference" / "recipes.md"
    assert importlib.import_module("documents").recipes_page() == page.read_text()
