"""Every verb on data sets that are not Fashion-MNIST: real digits, and pictures in colour."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import fashioncnn as fc
from conftest import TINY_RECIPE
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.sources.folders import write_folders
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import DataError, RunError
from fashioncnn.reporting.figures import sharing
from test_data_sets import colours, digits

Words = Callable[..., tuple[int, str, str]]
SPACE = """
name = "two-rates"
summary = "two settings"
recipe = "{recipe}"
[space]
optimizer.learning_rate = [0.005, 0.002]
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sharing, "DPI", 40)
    monkeypatch.setattr(sharing, "CORES", 1)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    data = 'image_size = "data"\npixel_mean = "data"\npixel_std = "data"\n'
    path.write_text(
        TINY_RECIPE.replace("validation_images = 100\n", f"validation_images = 50\n{data}")
    )
    return path


def place(kind: str, folder: Path) -> Path:
    if kind == "digits":
        parts = digits()
        write_npz(folder / "digits.npz", {part: parts[part] for part in ("train", "test")})
        return folder / "digits.npz"
    (folder / "shapes").mkdir()
    write_folders(folder / "shapes", {"train": colours(700)})
    (folder / "shapes" / "train" / "blue" / "broken.png").write_bytes(b"none")
    (folder / "shapes" / "train" / "blue" / "notes.txt").write_text("words")
    return folder / "shapes"


@pytest.mark.parametrize(("kind", "shape"), [("digits", (1, 8, 8)), ("shapes", (3, 48, 64))])
def test_every_verb_works(
    kind: str, shape: tuple[int, int, int], recipe: Path, tmp_path: Path, words_of: Words
) -> None:
    data, out = place(kind, tmp_path), tmp_path / "runs"
    changes = ("--set", "model.channels=[8,16]", "--set", "training.epochs=6")
    status, _, err = words_of("train", recipe, *changes, "--data", data, "--seeds", 2, "--out", out)
    assert status == 0, err
    assert kind in err
    runs = fc.open_runs([out / "tiny"])
    known = runs[0].trained_on
    assert known.shape == shape
    assert known.name == kind
    # The runs know where their pictures lie.
    assert fc.evaluate(runs[0]).accuracy > 0.8
    assert words_of("explain", runs[0].path)[0] == 0
    assert words_of("compare", *(run.path for run in runs))[0] == 0
    # What takes long is asked of one of the two.
    full = ("--full",) if kind == "shapes" else ()
    assert words_of("report", runs[0].path, *full)[0] == 0
    page = runs[0].report_file.read_text()
    assert f"tiny on {kind}" in page
    assert known.class_names[-1] in page
    assert "one shop" not in page
    if kind == "digits":
        found = tmp_path / "audit"
        assert words_of("data", "audit", "--recipe", recipe, "--data", data, "--out", found)[0] == 0
        space = tmp_path / "space.toml"
        space.write_text(SPACE.format(recipe=recipe))
        study = tmp_path / "study"
        assert words_of("tune", space, "--data", data, "--out", study)[0] == 0
    assert words_of("bench", "predict", runs[0].path, "--batch-size", 1)[0] == 0
    picture = tmp_path / "one.png"
    first = DataSet(data).test.images_NHWC[0]
    Image.fromarray(first[..., 0] if shape[0] == 1 else first).save(picture)
    status, said, _ = words_of("predict", runs[0].path, picture, "--json")
    assert json.loads(said)["pictures"][0]["answer"] in (None, *known.class_names)
    unknown = words_of("evaluate", runs[0].path, "--unknown", picture)
    assert unknown[0] == 0


def test_a_run_knows_its_pictures(recipe: Path, tmp_path: Path, tiny_npz: Path) -> None:
    run = fc.train(recipe, data=place("digits", tmp_path), out=tmp_path / "runs", device="cpu")
    with pytest.raises(RunError, match="knows pictures of digits"):
        fc.evaluate(run, data=tiny_npz)
    others = digits()
    write_npz(tmp_path / "others.npz", {"train": others["test"], "test": others["train"]})
    with pytest.raises(RunError, match="was trained on other pictures"):
        fc.evaluate(run, split="validation", data=tmp_path / "others.npz")
    shutil.move(tmp_path / "digits.npz", tmp_path / "moved.npz")
    with pytest.raises(DataError, match="nothing is there"):
        fc.evaluate(run)
    assert fc.evaluate(run, data=tmp_path / "moved.npz").n == len(others["test"])


@pytest.mark.parametrize("name", ["folders", "one.npz"])
def test_import_gives_the_same_digests(name: str, tmp_path: Path) -> None:
    data = DataSet(place("digits", tmp_path))
    written = fc.import_data(data, tmp_path / name)
    assert (written.train.digest, written.test.digest) == (data.train.digest, data.test.digest)
    with pytest.raises(DataError, match="exists already"):
        fc.import_data(data, tmp_path / name)
    assert not list(tmp_path.glob(".import-*"))


def test_training_is_the_same_through_every_source(recipe: Path, tmp_path: Path) -> None:
    data = DataSet(place("digits", tmp_path))
    weights = set()
    for number, place_ in enumerate(
        (data, fc.import_data(data, tmp_path / "a"), fc.import_data(data, tmp_path / "b.npz"))
    ):
        run = fc.train(recipe, data=place_, out=tmp_path / str(number), device="cpu")
        weights.add(json.loads((run.checkpoints / "last.json").read_text())["tensors_sha256"])
    assert len(weights) == 1


def test_show_tells_what_is_odd(tmp_path: Path, words_of: Words) -> None:
    parts = digits()
    train = parts["train"]
    train.images_NHWC[5] = parts["test"].images_NHWC[3]
    train.images_NHWC[6] = train.images_NHWC[7]
    write_npz(tmp_path / "odd.npz", {"train": train, "test": parts["test"]})
    sheet = tmp_path / "sheet.png"
    status, said, _ = words_of("data", "show", tmp_path / "odd.npz", "-o", sheet)
    assert status == 0
    assert "1 pictures of test are in train, too" in said
    assert "pictures of train are there more than once" in said
    with Image.open(sheet) as drawn:
        assert drawn.size[1] > 500
    found = fc.show_data(place("shapes", tmp_path))
    assert found.counts == {"train": (500, 100, 100)}
    assert any("broken.png" in one for one in found.odd)
    assert any("no test pictures" in one for one in found.odd)
    status, _, err = words_of("data", "show", "--size", "9000")
    assert status == 2
    assert "8 to 224" in err
