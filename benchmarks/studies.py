"""Questions that several seeds of several variants of a recipe answer, on the test pictures.

Each variant is a recipe with something changed, trained with seeds 0, 1, …; trainings run on one
thread each, as many at a time as there are cores. Runs lie in runs/studies; started again, the
script goes on with them. Test is read once a run. Writes docs/<study>.md and its page beside it.

Usage: python benchmarks/studies.py [STUDY…] [--seeds 5]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fashioncnn.benchmarking.commands import run
from fashioncnn.recipes.load import dump, load
from fashioncnn.recipes.schema import Recipe

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "studies"
# bf16 costs two-conv no accuracy (docs/lab-notes.md) and halves the time.
ALWAYS = ("training.precision=bf16",)
SHIRT = "augmentation.by_class.Shirt"


@dataclass(frozen=True)
class Study:
    """A question, and the changes of each variant by its name; the first is compared with."""

    title: str
    recipe: str
    variants: Mapping[str, Sequence[str]]

    def recipes(self) -> dict[str, Recipe]:
        """Return the recipe of each variant, called by the variant's name."""
        return {
            name: load(self.recipe, [f"name={name}", *ALWAYS, *changes])
            for name, changes in self.variants.items()
        }


STUDIES = {
    "what-fixes-shirt": Study(
        "What fixes Shirt?",
        "two-conv",
        {
            "two-conv": (),
            "class-weights": ("loss.class_weights.Shirt=2.0",),
            "shirt-augmentation": (
                f"{SHIRT}.rotation_degrees=10.0",
                f"{SHIRT}.translation_pixels=2.0",
            ),
            "batch-norm": ("model.batch_norm=true",),
            "third-block": ("model.channels=[32, 64, 128]",),
            "dropout-half": ("model.dropout=0.5",),
        },
    ),
    "flips-and-rotations": Study(
        "Do flips and rotations help?",
        "two-conv",
        {
            "two-conv": (),
            "flips-only": ("augmentation.rotation_degrees=0.0",),
            "rotations-only": ("augmentation.horizontal_flip_probability=0.0",),
            "neither": (
                "augmentation.rotation_degrees=0.0",
                "augmentation.horizontal_flip_probability=0.0",
            ),
        },
    ),
}


def train_all(recipes: Mapping[str, Recipe], seeds: int) -> None:
    """Train every recipe with every seed, seed by seed; what is there already stays."""

    def one(job: tuple[int, str]) -> None:
        seed, name = job
        file = RUNS / f"{name}.toml"
        command = [sys.executable, "-m", "fashioncnn", "train", str(file), "--resume", "--json"]
        command += ["--seed", str(seed), "--out", str(RUNS), "--device", "cpu"]
        answer = run(command, {"OMP_NUM_THREADS": "1"}).answer
        print(f"{name}, seed {seed}: {answer['runs'][0]}", flush=True)

    RUNS.mkdir(parents=True, exist_ok=True)
    for name, recipe in recipes.items():
        (RUNS / f"{name}.toml").write_text(dump(recipe))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, [(seed, name) for seed in range(seeds) for name in recipes]))


def main() -> None:
    """Train and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=", ".join(STUDIES))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    chosen = {name: STUDIES[name] for name in options.studies or STUDIES}
    recipes = {
        name: recipe for study in chosen.values() for name, recipe in study.recipes().items()
    }
    train_all(recipes, options.seeds)


if __name__ == "__main__":
    main()
