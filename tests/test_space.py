"""Search spaces: what they mean, and one clear line for each fault."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from fashioncnn.errors import SpaceError
from fashioncnn.recipes.load import load
from fashioncnn.tuning import workers
from fashioncnn.tuning.setting import describe
from fashioncnn.tuning.space import Choices, Range, builtin_spaces, digest, read_space

pytestmark = pytest.mark.fast

HEAD = 'name = "mine"\nrecipe = "two-conv"\n[space]\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", builtin_spaces())
def test_every_builtin_space_is_a_grid_of_valid_recipes(name: str) -> None:
    space = read_space(name)
    assert space.name == name
    recipes = [space.apply(setting) for setting in space.grid()]
    assert len({str(recipe.settings()) for recipe in recipes}) == len(recipes) > 1


def test_the_grid_of_the_first_seed_system() -> None:
    space = read_space("two-conv-grid")
    settings = space.grid()
    assert len(settings) == 36
    assert {setting["model.dropout"] for setting in settings} == {0.3, 0.5}
    assert {setting["optimizer.learning_rate"] for setting in settings} == {0.01, 0.001, 0.0001}
    assert {setting["training.batch_size"] for setting in settings} == {32, 64, 128}
    recipe = space.apply(settings[0])
    plain = load("two-conv")
    assert recipe.training.epochs == plain.training.epochs
    assert recipe.model.dropout == settings[0]["model.dropout"]  # type: ignore[attr-defined]


def test_what_stands_for_a_recipe_names_a_folder() -> None:
    assert re.fullmatch("[0-9a-f]{12}", digest(load("two-conv")))
    assert digest(load("two-conv")) != digest(load("three-conv"))


def test_choices_and_ranges(tmp_path: Path) -> None:
    text = HEAD + (
        "model.channels = [[32, 64], [64, 128]]\n"
        "optimizer.learning_rate = { low = 1e-4, high = 0.01, log = true }\n"
        "training.batch_size = { low = 32, high = 128 }\n"
    )
    space = read_space(written(tmp_path, text))
    assert space.keys["model.channels"] == Choices(([32, 64], [64, 128]))
    assert space.keys["optimizer.learning_rate"] == Range(1e-4, 0.01, log=True)
    size = space.keys["training.batch_size"]
    assert isinstance(size, Range)
    assert size.whole
    with pytest.raises(SpaceError, match=r"optimizer\.learning_rate is a range"):
        space.grid()


def test_a_recipe_beside_the_space(tmp_path: Path, tiny_recipe: Path) -> None:
    text = f'name = "mine"\nrecipe = "{tiny_recipe.name}"\n[space]\nmodel.dropout = [0.1, 0.2]\n'
    space = read_space(written(tmp_path, text))
    assert space.apply({"model.dropout": 0.2}).name == "tiny"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "name is null; it must be text"),
        ("name = [", "not valid TOML"),
        ('name = "a"\nrecipe = "two-conv"\n', r"\[space\] is missing or empty"),
        (HEAD, r"\[space\] is missing or empty"),
        ("colour = 1\n" + HEAD + "model.dropout = [0.1]", "unknown key colour; allowed: name"),
        (HEAD + "model.dropout = []", "model.dropout is an empty list"),
        (HEAD + "model.dropout = 0.3", "model.dropout is 0.3; it must be a list of values"),
        (HEAD + "model.dropout = [0.3, 0.3]", "model.dropout names a value twice"),
        (HEAD + "optimizer.weight_decay = [0, 0.0]", "weight_decay names a value twice"),
        ('name = "../a"\nrecipe = "two-conv"\n', 'name is "../a"; it must be small letters'),
        (HEAD + "model.dropout = [" + 5000 * "9" + "]", "not valid TOML"),
        (HEAD + "model.dropout = [0x" + 5000 * "f" + "]", "a whole number of more than 64 bits"),
        (HEAD + "model.dropout = [0.3, 1.5]", "model.dropout is 1.5; it must be"),
        (HEAD + "model.dropuot = [0.3]", "unknown key model.dropuot; did you mean dropout"),
        (HEAD + "model.dropout = { low = 0.5, high = 0.1 }", "a range needs numbers low < high"),
        (HEAD + "model.dropout = { low = 0.1 }", "a range needs numbers low < high"),
        (HEAD + "model.dropout = { low = 0.0, high = 0.1, log = true }", "low is 0.0; it must be"),
        (HEAD + "model.dropout = { low = 0, high = 1, step = 1 }", "unknown step; allowed: low"),
        (HEAD.replace("two-conv", "no-conv") + "model.dropout = [0.1]", "no recipe"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SpaceError, match=words) as error:
        read_space(path)
    assert str(path) in str(error.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "model.dropout = [2.0]\ntraining.epochs = [0]\n")
    with pytest.raises(SpaceError) as error:
        read_space(path)
    assert len(str(error.value).splitlines()) == 3


def test_no_such_space() -> None:
    with pytest.raises(SpaceError, match="neither a file nor one of two-conv-grid"):
        read_space("nothing")


def test_a_grid_has_its_bound(tmp_path: Path) -> None:
    sizes = list(range(1, 102))
    text = HEAD + f"training.batch_size = {sizes}\ntraining.epochs = {sizes}\n"
    with pytest.raises(SpaceError, match="a grid of 10,201 settings; at most 10,000"):
        read_space(written(tmp_path, text)).grid()
    text = HEAD + f"training.batch_size = {sizes[:100]}\ntraining.epochs = {sizes[:100]}\n"
    assert len(read_space(written(tmp_path, text)).grid()) == 10_000


def test_a_setting_in_one_line() -> None:
    setting = {"model.dropout": 0.5, "optimizer.name": "adam"}
    assert describe(setting) == 'model.dropout 0.5, optimizer.name "adam"'


def test_a_worker_of_a_machine_of_a_longer_name_is_of_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "node-1")
    with workers.sign_in(tmp_path) as worker:
        assert workers.is_alive(tmp_path, worker)
    assert not workers.is_alive(tmp_path, worker)
    monkeypatch.setattr(platform, "node", lambda: "node")
    assert workers.is_alive(tmp_path, worker)
