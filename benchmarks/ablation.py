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
from concurrent.futures import ThreadPoolExecutor
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

# Cost is the same in every row: where an epoch is dearer or cheaper, there are fewer or more.
ROWS: dict[str, list[str]] = {
    "the recipe as it is": [],
    "no selection: all pictures in every epoch": ["selection.kept_share=1.0", "training.epochs=5"],
    "selection keeps 50 %": ["selection.kept_share=0.5", "training.epochs=9"],
    "selection keeps 20 %": ["selection.kept_share=0.2", "training.epochs=21"],
    "SGD with Nesterov's momentum, no Muon": [
        "optimizer.name=sgd",
        "optimizer.learning_rate=0.7",
        "optimizer.momentum=0.85",
    ],
    "AdamW, no Muon": ["optimizer.name=adamw", "optimizer.learning_rate=0.004"],
    "random flips, not alternating": ["augmentation.alternating_flip=false"],
    "no flips": ["augmentation.horizontal_flip_probability=0.0"],
    "shifts of up to 1 pixel": ["augmentation.shift_pixels=1"],
    "shifts of up to 2 pixels": ["augmentation.shift_pixels=2"],
    "random erasing, 25 %": ["augmentation.erasing_probability=0.25"],
    "label smoothing 0.1": ["loss.label_smoothing=0.1"],
    "moving average of the weights, 0.98": ["averaging.ema_decay=0.98"],
    "cosine, not linear": ["schedule.name=cosine"],
    "residual": ["model.residual=true"],
    "average pooling at the end, not max": ["model.pooling=average"],
    "first convolution 5x5": ["model.stem_kernel_size=5"],
    "deeper and narrower: 24 and 48 channels, 4 and 4 blocks": [
        "model.channels=[24, 48]",
        "model.blocks=[4, 4]",
    ],
    "wider and shallower: 48 and 96 channels, 0 and 1 blocks": [
        "model.channels=[48, 96]",
        "model.blocks=[0, 1]",
    ],
    "batch 128": ["training.batch_size=128", "optimizer.learning_rate=0.07"],
    "batch 512": ["training.batch_size=512", "optimizer.learning_rate=0.14"],
    "Shirt weighted 1.5 times": ["loss.class_weights.Shirt=1.5"],
    "fp32, not bf16": ["training.precision=fp32"],
}


def train(recipe: str, seed: int, changes: list[str]) -> dict[str, float]:
    """Train once on one thread; return the last epoch's validation figures."""
    always = ["data.validation_images=5000", f"data.split_seed={SPLIT_SEED + seed}"]
    words = [word for change in [*always, *changes] for word in ("--set", change)]
    with tempfile.TemporaryDirectory() as out:
        program = [sys.executable, "-m", "fashioncnn", "train", recipe, "--device", "cpu"]
        command = [*program, "--seed", str(seed), "--out", out, *words, "--json"]
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
    for changes in ROWS.values():
        load(options.recipe, changes)

    def job(task: tuple[str, int]) -> dict[str, float]:
        row, seed = task
        figures = train(options.recipe, seed, ROWS[row])
        print(f"{row}, seed {seed}: {figures['val/accuracy']:.4f}", flush=True)
        return figures

    tasks = [(row, seed) for seed in range(options.seeds) for row in ROWS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        figures = dict(zip(tasks, pool.map(job, tasks), strict=True))
    rows = {row: [figures[row, seed] for seed in range(options.seeds)] for row in ROWS}
    result: dict[str, Any] = {
        "recipe": options.recipe,
        "n": options.seeds,
        "rows": {row: {"changes": ROWS[row], "seeds": values} for row, values in rows.items()},
        "hardware": hardware(torch.device("cpu")),
        "versions": versions(),
    }
    file = ROOT / "benchmarks" / "results" / f"{options.recipe}-ablation.json"
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
        gap = (
            ""
            if values is base
            else f"{statistics.fmean(gaps):+.2f} ± {statistics.stdev(gaps):.2f}"
        )
        lines.append(f"| {name} | {statistics.fmean(accuracy):.2f} | {gap} | {loss:.4f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
