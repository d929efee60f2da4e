"""compare, through the public face, on tiny synthetic pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import fashioncnn as fc
from conftest import TINY_RECIPE, Cli, use_tiny_data
from fashioncnn.cli import tables
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import differences
from fashioncnn.reporting.comparison import f1_effects
from fashioncnn.runs.arrays import read as read_arrays
from fashioncnn.runs.arrays import write as write_arrays

NAMES = {"usual": 3, "brief": 1, "longer": 4}


@pytest.fixture(scope="module")
def groups_once(tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds as they are, three that train briefly, and three that train a little longer."""
    folder = tmp_path_factory.mktemp("groups")
    recipe = folder / "tiny.toml"
    recipe.write_text(TINY_RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, tiny_npz)
        for name, epochs in NAMES.items():
            changes, out = {"training.epochs": epochs}, folder / name
            fc.train_seeds(recipe, seeds=range(3), changes=changes, out=out, device="cpu")
    return folder


@pytest.fixture
def groups(groups_once: Path, tmp_path: Path, tiny_data: None) -> list[Path]:
    shutil.copytree(groups_once, tmp_path / "groups")
    return [tmp_path / "groups" / name / "tiny" for name in NAMES]


def right(folder: Path) -> NDArray[np.bool_]:
    runs = [read_arrays(run.evaluation / "predictions.npz") for run in fc.open_runs([folder])]
    return np.array([run["logits"].argmax(1) == run["labels"] for run in runs])


def test_groups_against_a_first(groups: list[Path]) -> None:
    brief, longer = fc.compare(groups, device="cpu")
    before, after = right(groups[0]), right(groups[1])
    assert brief.runs == (3, 3)
    assert brief.accuracies == pytest.approx((before.mean(), after.mean()))
    assert brief.distinguishable
    assert brief.verdict.startswith("tiny is better than tiny with training.epochs 1 by ")
    assert brief.changes == ("training.epochs 1, not 3",)
    change = after.mean(0) - before.mean(0)
    assert brief.lost
    assert brief.lost.right_after[0] - brief.lost.right_before[0] == pytest.approx(change.min())
    gained = brief.gained.indices if brief.gained else ()
    assert set(gained) <= set(np.flatnonzero(change > 0))
    assert all(change[index] < 0 for index in brief.lost.indices)
    assert len(longer.f1) == 10

    text = tables.compared(brief)
    assert brief.verdict in text
    assert "training.epochs 1, not 3" in text
    assert json.loads(json.dumps(asdict(brief)))["verdict"] == brief.verdict


def test_two_runs_that_differ_in_five_pictures(groups: list[Path], tmp_path: Path) -> None:
    run = fc.open_runs([groups[1]])[0]
    fc.evaluate(run, device="cpu")
    other = Path(shutil.copytree(run.path, tmp_path / "other")) / "evaluation" / "predictions.npz"
    arrays = dict(read_arrays(other))
    good = arrays["logits"].argmax(1) == arrays["labels"]
    mended, broken = np.flatnonzero(~good)[:3], np.flatnonzero(good)[:2]
    arrays["logits"][mended, arrays["labels"][mended]] += 100
    arrays["logits"][broken, arrays["labels"][broken]] -= 100
    write_arrays(other, arrays)
    (found,) = fc.compare([run, tmp_path / "other"], device="cpu")
    assert (found.gained_count, found.lost_count) == (3, 2)
    assert found.gained
    assert found.lost
    assert set(found.gained.indices) == set(mended)
    assert set(found.lost.indices) == set(broken)
    assert found.accuracy.adjusted_p_value == 1
    assert "are not distinguishable with these 1 + 1 runs" in found.verdict
    assert "several seeds of each" in found.verdict


def test_no_share_differs_by_more_than_all() -> None:
    """Two runs that differ much would put an interval of F1 far beyond 1."""
    labels, rows = np.arange(20) % 2, np.arange(20)

    def group(*shares: float) -> list[Predictions]:
        answers = [np.where(rows < share * 20, labels, 1 - labels) for share in shares]
        logits = [np.eye(2, dtype=np.float32)[one] for one in answers]
        return [Predictions(one, labels, rows, ("a", "b")) for one in logits]

    first, other = group(0.1, 1.0), group(0.9, 0.0)
    raw = differences(first, other)["test/f1/a"].interval
    assert raw.high - raw.low > 2
    told = f1_effects(first, other, ("a", "b"))
    assert all(-1 <= one.low <= one.difference <= one.high <= 1 for one in told)


def test_what_cannot_be_compared(groups: list[Path], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"needs two runs or more; 1 given"):
        fc.compare([groups[0]])
    with pytest.raises(RunError, match="is given twice"):
        fc.compare([groups[0], groups[0]], device="cpu")
    with pytest.raises(RunError, match="is given twice"):
        fc.compare([fc.open_runs([groups[0]])[0], groups[0]], device="cpu")
    mixed = tmp_path / "mixed"
    shutil.copytree(groups[0], mixed)
    shutil.copytree(fc.open_runs([groups[1]])[0].path, mixed / "brief")
    with pytest.raises(RunError, match="holds runs of several recipes"):
        fc.compare([groups[1], mixed], device="cpu")


def test_one_run_on_the_command_line_is_one_line(cli: Cli, tmp_path: Path) -> None:
    done = cli("compare", tmp_path / "nothing", tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "nothing") in done.stderr


@pytest.mark.usefixtures("tiny_data")
def test_the_page_of_two_runs_that_answer_alike(run: fc.Run, tmp_path: Path) -> None:
    fc.evaluate(run, device="cpu")
    twin = tmp_path / "twin" / run.path.name
    shutil.copytree(run.path, twin)
    recipe = twin / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('name = "tiny"', 'name = "twin"', 1))
    page = fc.report([run.path, twin], out=tmp_path / "page.html").read_text()
    assert "twin and tiny are not distinguishable" in page
    assert "0 pictures gained, 0 lost" in page


def test_a_class_of_few_pictures_has_a_difference_as_uncertain_as_its_sides() -> None:
    labels = np.repeat([0, 1], [6, 400])

    def answers(wrong: int) -> list[Predictions]:
        predicted = labels.copy()
        predicted[:wrong] = 1
        logits = np.eye(2, dtype=np.float32)[predicted] * 5
        return [Predictions(logits, labels, np.arange(len(labels)), ("rare", "common"))]

    rare, common = f1_effects(answers(0), answers(6), ("rare", "common"))
    assert rare.difference == -1.0
    assert rare.high > -0.9
    assert 0 < rare.adjusted_p_value < 0.05
    assert common.high - common.low < 0.05
    same, _ = f1_effects(answers(0), answers(0), ("rare", "common"))
    assert same.low < -0.2 < 0.2 < same.high
    assert same.adjusted_p_value == 1
