"""Runs that are damaged, and folders of runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import fashioncnn as fc
from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs.files import make_folder

pytestmark = pytest.mark.usefixtures("tiny_data")


def test_a_folder_stands_for_its_finished_runs(
    tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done, cut = fc.train_seeds(tiny_recipe, seeds=[0, 1], out=tmp_path, device="cpu")
    lines = cut.metrics_file.read_text().splitlines(keepends=True)
    cut.metrics_file.write_text("".join(lines[:2]))
    assert [run.path for run in fc.open_runs([tmp_path / "tiny"])] == [done.path]
    assert "was stopped after 2 of 3 epochs" in capsys.readouterr().err
    shutil.rmtree(done.path)
    with pytest.raises(RunError, match="none of its 1 runs was trained to its end"):
        fc.open_runs([tmp_path / "tiny"])
    assert [run.path for run in fc.open_runs([cut, cut.path])] == [cut.path]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match=rf"^cannot make {tmp_path}/file/below: "):
        make_folder(tmp_path / "file" / "below")


@pytest.mark.parametrize("name", ["recipe.toml", "provenance.json"])
def test_half_a_run_is_none(run: fc.Run, name: str) -> None:
    (run.path / name).unlink()
    with pytest.raises(RunError, match=r"not a run directory \(it has no recipe\.toml and prov"):
        fc.open_run(run.path)


def damage_marker(run: fc.Run) -> None:
    run.recipe_file.unlink()


def damage_recipe(run: fc.Run) -> None:
    run.recipe_file.write_text("name = 3")


def damage_provenance(run: fc.Run) -> None:
    run.provenance_file.write_text("[]")


def damage_checkpoints(run: fc.Run) -> None:
    for path in run.checkpoints.iterdir():
        path.unlink()


def damage_log(run: fc.Run) -> None:
    run.metrics_file.write_text("{}\n")


DAMAGES: list[Any] = [
    (damage_marker, "not a run directory"),
    (damage_recipe, r"recipe .*:\n  name is 3; it must be text(.|\n)*model is missing"),
    (damage_provenance, "provenance"),
    (damage_checkpoints, "no checkpoint 'best' yet"),
    (damage_log, "line 1 is not the record of epoch 1"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_damaged_runs_get_one_clear_line(run: fc.Run, damage: Any, words: str) -> None:
    damage(run)
    with pytest.raises(fc.FashionCNNError, match=words) as caught:
        fc.report(run.path)
    # A recipe tells all its faults, a line each; everything else is one line.
    assert "\n" not in str(caught.value) or damage is damage_recipe


def test_a_network_of_another_recipe_is_refused(run: fc.Run) -> None:
    text = run.recipe_file.read_text().replace("4,", "5,", 1)
    assert text != run.recipe_file.read_text()
    run.recipe_file.write_text(text)
    with pytest.raises(RunError, match="the checkpoint is of another network"):
        fc.evaluate(run)


def test_no_such_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run directory"):
        fc.evaluate(tmp_path / "nothing")


def test_a_folder_above_those_of_recipes_names_one(run: fc.Run) -> None:
    above = run.path.parent.parent
    with pytest.raises(RunError, match=rf"not a run directory .*; {run.path.parent} holds runs"):
        fc.open_run(above)
