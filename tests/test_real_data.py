"""Both seed recipes on the real pictures, shortened; and what was published about them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fashioncnn as fc

pytestmark = pytest.mark.real_data
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("recipe", "at_least"), [("two-conv", 0.84), ("three-conv", 0.75)])
def test_one_epoch_learns_most_of_it(recipe: str, at_least: float, tmp_path: Path) -> None:
    run = fc.train(recipe, changes=["training.epochs=1"], out=tmp_path, device="cpu")
    scores = fc.evaluate(run, device="cpu")
    assert scores.n == 10_000
    assert scores.accuracy > at_least
    assert {score.support for score in scores.classes} == {1000}


def test_readme_and_promises_are_what_was_measured() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "publish.py", "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
