"""Pictures and recipes for tests: tiny synthetic ones, and the real data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import fashioncnn as fc
from fashioncnn.data import places
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.reporting.figures import sharing
from forks import command_line

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TINY_RECIPE = """
name = "tiny"
[data]
validation_images = 100
[augmentation]
horizontal_flip_probability = 0.5
rotation_degrees = 10.0
[model]
channels = [4, 8]
hidden_features = [16]
dropout = 0.3
[optimizer]
name = "adam"
learning_rate = 0.005
[training]
epochs = 3
batch_size = 32
"""


def make_pictures(n: int = 600, seed: int = 0) -> LabelledImages:
    """Ten classes, each a bright bar at a height of its own in noise: learnable in seconds."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = random.integers(0, 60, (n, 28, 28), dtype=np.uint8)
    for index, label in enumerate(labels):
        images[index, 2 + 2 * label : 5 + 2 * label, 4:24] = 220
    return LabelledImages(images[..., None], labels.astype(np.int64), CLASSES)


# Files that take longest are begun first, so that no core is idle at the end.
LONGEST = (
    *("docs", "explorer", "ray", "real_data", "own_parts", "bundles", "tracking", "bench"),
    *("check", "evaluate", "report", "any_pictures", "together", "serving", "record", "tune"),
    "kill",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is trusted here out of the user's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, without a screen."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("needs Debian's package chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def pictures() -> LabelledImages:
    return make_pictures()


@pytest.fixture
def tiny_recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY_RECIPE)
    return path


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of synthetic pictures."""
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    write_npz(path, {"train": make_pictures(600, 0), "test": make_pictures(200, 1)})
    return path


def use_tiny_data(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    """Let workflows read a file of few pictures in place of Fashion-MNIST."""
    monkeypatch.setenv(places.ENVIRONMENT_VARIABLE, str(pictures))
    # Nobody looks at these figures: few dots draw faster.
    monkeypatch.setattr(sharing, "DPI", 40)
    # A second process takes longer to start than it saves with small figures.
    monkeypatch.setattr(sharing, "CORES", 1)


@pytest.fixture
def tiny_data(monkeypatch: pytest.MonkeyPatch, tiny_npz: Path) -> None:
    use_tiny_data(monkeypatch, tiny_npz)


@pytest.fixture(scope="session")
def trained_once(tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny recipe, trained once for all tests: for copies alone."""
    out = tmp_path_factory.mktemp("trained")
    recipe = out / "tiny.toml"
    recipe.write_text(TINY_RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, tiny_npz)
        return fc.train(recipe, out=out / "runs", device="cpu").path


@pytest.fixture(scope="session")
def reported_once(
    trained_once: Path, tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same run with everything that `report --full` makes: for copies alone."""
    path = tmp_path_factory.mktemp("reported") / trained_once.name
    shutil.copytree(trained_once, path)
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, tiny_npz)
        fc.report(path, full=True, device="cpu")
    return path


@pytest.fixture
def run(trained_once: Path, tmp_path: Path) -> fc.Run:
    """A run of the tiny recipe of one's own."""
    path = tmp_path / "runs" / "tiny" / trained_once.name
    return fc.Run(Path(shutil.copytree(trained_once, path)))


@pytest.fixture
def reported(reported_once: Path, tmp_path: Path) -> fc.Run:
    """A run of one's own with everything that `report --full` makes."""
    path = tmp_path / "runs" / "tiny" / reported_once.name
    return fc.Run(Path(shutil.copytree(reported_once, path)))


@pytest.fixture(scope="session")
def real_source() -> places.Place:
    return places.find()


@pytest.fixture(scope="session")
def first_real(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """A file of so many of the real pictures, the first ones: for training, for testing."""
    folder = tmp_path_factory.mktemp("first")

    @cache
    def written(train: int, test: int) -> Path:
        data, path = DataSet(places.find().folder), folder / f"{train}-{test}.npz"
        first = data.train.take(np.arange(train)), data.test.take(np.arange(test))
        write_npz(path, {"train": first[0], "test": first[1]})
        return path

    return written


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def words_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit status, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        from fashioncnn.cli.main import main

        monkeypatch.setattr(sys, "argv", ["fashioncnn", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run the command line in a process of its own, warnings being errors."""
    numbers = count()

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        done = command_line(tmp_path / f"said-{next(numbers)}", *words)
        status = done.wait()
        return subprocess.CompletedProcess([*map(str, words)], status, done.stdout, done.stderr)

    return run
