"""What each choice of a speed recipe is worth: one row a change, validation, several seeds.

Every row changes one thing of the recipe and trains with 5,000 validation pictures set aside, anew
for each seed, the same ones for every row; test is never read. Differences are taken seed by seed.
Trainings run on one thread each, as many at a time as there are cores, which is the better use of
the machine; their times say nothing against other tables. Writes results/<recipe>-ablation.json
and docs/ablation.md.

Usage: python benchmarks/ablation.py [RECIPE] [--seeds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fashioncnn.benchmarking.commands import run
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import open_run
from fashioncnn.runs.provenance import versions
from fashioncnn.training.device import hardware

ROOT = Path(__file__).resolve().parent.parent
SPLIT_SEED = 20170825


@dataclass(frozen=True)
class Row:
    """A change of the recipe: settings, and a technique of dropped.py."""

    changes: Sequence[str] = ()
    technique: str | None = None


# Cost is the same in every row, but where said: dearer epochs are fewer, cheaper ones more.
ROWS: dict[str, Row] = {
    "the recipe as it is": Row(),
    "no selection: all pictures in every epoch": Row(
        ["selection.kept_share=1.0", "training.epochs=5"]
    ),
    "selection keeps 50 %": Row(["selection.kept_share=0.5", "training.epochs=9"]),
    "selection keeps 20 %": Row(["selection.kept_share=0.2", "training.epochs=21"]),
    "selection keeps the hardest 30 % of each class": Row(technique="balanced"),
    "SGD with Nesterov's momentum, no Muon": Row(
        ["optimizer.name=sgd", "optimizer.learning_rate=0.7", "optimizer.momentum=0.85"]
    ),
    "AdamW, no Muon": Row(["optimizer.name=adamw", "optimizer.learning_rate=0.004"]),
    "look-ahead (5 steps, half way)": Row(technique="look_ahead"),
    "moving average of the weights, 0.98": Row(["averaging.ema_decay=0.98"]),
    "biases of batch norms learn 8 times faster": Row(technique="norm_biases"),
    "cosine, not linear": Row(["schedule.name=cosine"]),
    "batch 128": Row(["training.batch_size=128", "optimizer.learning_rate=0.07"]),
    "batch 512": Row(["training.batch_size=512", "optimizer.learning_rate=0.14"]),
    "growing batch: 128, then 256 after 6 epochs": Row(technique="growing_batch"),
    "random flips, not alternating": Row(["augmentation.alternating_flip=false"]),
    "no flips": Row(["augmentation.horizontal_flip_probability=0.0"]),
    "shifts of up to 1 pixel": Row(["augmentation.shift_pixels=1"]),
    "shifts of up to 2 pixels": Row(["augmentation.shift_pixels=2"]),
    "random erasing, 25 %": Row(["augmentation.erasing_probability=0.25"]),
    "label smoothing 0.1": Row(["loss.label_smoothing=0.1"]),
    "first convolution on patches of 2x2": Row(["model.stem_kernel_size=2"]),
    "whitened first layer (12 % dearer)": Row(technique="whitened"),
    "dirac initialisation": Row(technique="dirac"),
    "residual": Row(["model.residual=true"]),
    "average pooling at the end, not max": Row(["model.pooling=average"]),
    "deeper and narrower: 24 and 48 channels, 4 and 4 blocks": Row(
        ["model.channels=[24, 48]", "model.blocks=[4, 4]"]
    ),
    "wider and shallower: 48 and 96 channels, 0 and 1 blocks": Row(
        ["model.channels=[48, 96]", "model.blocks=[0, 1]"]
    ),
    "2 epochs at 20x20 pixels first (3 epochs more)": Row(
        ["training.epochs=17"], technique="small_pictures"
    ),
    "first stage frozen in the last third (1 epoch more)": Row(
        ["training.epochs=15"], technique="frozen"
    ),
}


def train(recipe: str, seed: int, row: Row) -> dict[str, float]:
    """Train once on one thread; return the last epoch's validation figures."""
    always = ["data.validation_images=5000", f"data.split_seed={SPLIT_SEED + seed}"]
    words = [word for change in [*always, *row.changes] for word in ("--set", change)]
    with tempfile.TemporaryDirectory() as out:
        program = ["-m", "fashioncnn"]
        if row.technique:
            program = [str(ROOT / "benchmarks" / "dropped.py"), row.technique]
        command = [sys.executable, *program, "train", recipe, "--device", "cpu"]
        command += ["--seed", str(seed), "--out", out, *words, "--json"]
        finished = run(command, {"OMP_NUM_THREADS": "1"})
        records = open_run(Path(finished.answer["runs"][0])).metrics
    return {
        "val/accuracy": records[-1]["val/accuracy"],
        "val/loss": records[-1]["val/loss"],
        "train/seconds": sum(record["train/seconds"] for record in records),
    }


def main() -> None:
    """Train every row and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="fast-93")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for change in ROWS.values():
        load(options.recipe, change.changes)

    def job(row: str, seed: int) -> dict[str, float]:
        figures = train(options.recipe, seed, ROWS[row])
        print(f"{row}, seed {seed}: {figures['val/accuracy']:.4f}", flush=True)
        return figures

    seeds: dict[str, list[dict[str, float]]] = {row: [] for row in ROWS}
    file = ROOT / "benchmarks" / "results" / f"{options.recipe}-ablation.json"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for seed in range(options.seeds):
            for row, figures in zip(ROWS, pool.map(partial(job, seed=seed), ROWS), strict=True):
                seeds[row].append(figures)
            result: dict[str, Any] = {
                "recipe": options.recipe,
                "n": seed + 1,
                "rows": {name: {**asdict(ROWS[name]), "seeds": seeds[name]} for name in ROWS},
                "hardware": hardware(torch.device("cpu")),
                "versions": versions(),
            }
            file.write_text(json.dumps(result, indent=2) + "\n")
            (ROOT / "docs" / "ablation.md").write_text(table(result))


def table(result: dict[str, Any]) -> str:
    """Return the page with the table."""
    rows = {name: row["seeds"] for name, row in result["rows"].items()}
    base = next(iter(rows.values()))
    n = result["n"]
    lines = [
        f"# What each choice of `{result['recipe']}` is worth",
        "",
        "One change a row, all else as in the recipe. Validation accuracy in per cent, mean "
        f"of {n} seeds; the difference to the recipe is taken seed by seed (same pictures set "
        f"aside), ± its standard deviation over the seeds. Made by `python benchmarks/ablation.py` "
        f"on {result['hardware']}, torch {result['versions']['torch']}.",
        "",
        "| change | accuracy | difference | loss |",
        "|---|---|---|---|",
    ]
    for name, values in rows.items():
        accuracy = [100 * one["val/accuracy"] for one in values]
        loss = statistics.fmean(one["val/loss"] for one in values)
        gaps = [
            mine - 100 * other["val/accuracy"] for mine, other in zip(accuracy, base, strict=True)
        ]
        gap = f"{statistics.fmean(gaps):+.2f}"
        if n > 1:
            gap += f" ± {statistics.stdev(gaps):.2f}"
        gap = "" if values is base else gap
        lines.append(f"| {name} | {statistics.fmean(accuracy):.2f} | {gap} | {loss:.4f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
