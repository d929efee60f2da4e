"""Both seed recipes on the real pictures, shortened; and what was published about them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fashioncnn as fc
from fashioncnn.training.device import PrecisionName, has_bf16

pytestmark = pytest.mark.real_data
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("recipe", "train", "at_least"), [("two-conv", 20_000, 0.78), ("three-conv", 40_000, 0.75)]
)
def test_one_epoch_learns_most_of_it(
    recipe: str,
    train: int,
    at_least: float,
    first_real: Callable[[int, int], Path],
    tmp_path: Path,
) -> None:
    data = first_real(train, 10_000)
    changes = ["training.epochs=1"]
    run = fc.train(recipe, changes=changes, data=data, out=tmp_path, device="cpu")
    scores = fc.evaluate(run, data=data, device="cpu")
    assert scores.n == 10_000
    assert scores.accuracy > at_least
    assert {score.support for score in scores.classes} == {1000}


# "auto" is fp32 where the processor has no bf16.
@pytest.mark.parametrize("precision", ["auto", "fp32"] if has_bf16("cpu") else ["auto"])
def test_a_speed_recipe_reaches_its_accuracy_with_and_without_bf16(
    precision: PrecisionName, tmp_path: Path
) -> None:
    changes = ["data.validation_images=5000"]
    run = fc.train("fast-92", changes=changes, precision=precision, out=tmp_path, device="cpu")
    assert run.metrics[-1]["val/accuracy"] > 0.912
    # In bf16, where the recipe allows for it, the answers are still those of fp32.
    trained = fc.load(run)
    validation = trained.pictures("validation", "evaluate")
    wanted = trained.predictions(validation).predicted
    assert (trained.predicted_classes(validation) != wanted).sum() <= 1
    # What an answer to a photograph needs is fitted on validation.
    fc.evaluate(run, device="cpu")
    limits = fc.load(run).sureness
    assert 0.1 < limits.probability < 0.9
    assert 0 < limits.energy < 30
    # Later epochs are over the hard pictures.
    assert [record["train/images"] for record in run.metrics] == [55_000] + [16_500] * 5


def test_readme_and_promises_are_what_was_measured() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "publish.py", "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "files are as the results have it" in done.stdout


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
