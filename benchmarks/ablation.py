"""What each choice of a speed recipe is worth: one row a change, validation, several seeds.

Every row changes one thing of the recipe and trains with 5,000 validation pictures set aside, anew
for each seed, the same ones for every row; test is never read. Differences are taken seed by seed.
Trainings run on one thread each, as many at a time as there are cores, which is the better use of
the machine; their times say nothing against other tables. Writes results/<recipe>-ablation.json
and docs/findings/ablation.md.

Usage: python benchmarks/ablation.py [RECIPE] [--seeds 3]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from functools import partial
from typing import Any

from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import open_run
from shared import DOCS, mean_std, side_by_side, train_on_one_thread, write_result

SPLIT_SEED = 20170825


# Cost is the same in every row, but where said: dearer epochs are fewer, cheaper ones more.
ROWS: dict[str, list[str]] = {
    "the recipe as it is": [],
    "no selection: all pictures in every epoch": [
        *["selection.kept_share=1.0", "training.epochs=5"]
    ],
    "selection keeps 50 %": ["selection.kept_share=0.5", "training.epochs=9"],
    "selection keeps 20 %": ["selection.kept_share=0.2", "training.epochs=21"],
    "SGD with Nesterov's momentum, no Muon": [
        *["optimizer.name=sgd", "optimizer.learning_rate=0.7", "optimizer.momentum=0.85"]
    ],
    "AdamW, no Muon": ["optimizer.name=adamw", "optimizer.learning_rate=0.004"],
    "moving average of the weights, 0.98": ["averaging.ema_decay=0.98"],
    "cosine, not linear": ["schedule.name=cosine"],
    "batch 128": ["training.batch_size=128", "optimizer.learning_rate=0.07"],
    "batch 512": ["training.batch_size=512", "optimizer.learning_rate=0.14"],
    "random flips, not alternating": ["augmentation.alternating_flip=false"],
    "no flips": ["augmentation.horizontal_flip_probability=0.0"],
    "shifts of up to 1 pixel": ["augmentation.shift_pixels=1"],
    "shifts of up to 2 pixels": ["augmentation.shift_pixels=2"],
    "random erasing, 25 %": ["augmentation.erasing_probability=0.25"],
    "label smoothing 0.1": ["loss.label_smoothing=0.1"],
    "first convolution on patches of 2x2": ["model.stem_kernel_size=2"],
    "residual": ["model.residual=true"],
    "average pooling at the end, not max": ["model.pooling=average"],
    "deeper and narrower: 24 and 48 channels, 4 and 4 blocks": [
        *["model.channels=[24, 48]", "model.blocks=[4, 4]"]
    ],
    "wider and shallower: 48 and 96 channels, 0 and 1 blocks": [
        *["model.channels=[48, 96]", "model.blocks=[0, 1]"]
    ],
}


def train(recipe: str, seed: int, changes: list[str]) -> dict[str, float]:
    """Train once on one thread; return the last epoch's validation figures."""
    always = ["data.validation_images=5000", f"data.split_seed={SPLIT_SEED + seed}"]
    words = [word for change in [*always, *changes] for word in ("--set", change)]
    with tempfile.TemporaryDirectory() as out:
        path = train_on_one_thread(recipe, "--seed", str(seed), "--out", out, *words)
        records = open_run(path).metrics
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

    def job(row: str, seed: int) -> dict[str, float]:
        figures = train(options.recipe, seed, ROWS[row])
        print(f"{row}, seed {seed}: {figures['val/accuracy']:.4f}", flush=True)
        return figures

    seeds: dict[str, list[dict[str, float]]] = {row: [] for row in ROWS}
    for seed in range(options.seeds):
        for row, figures in zip(ROWS, side_by_side(partial(job, seed=seed), ROWS), strict=True):
            seeds[row].append(figures)
        rows = {row: {"changes": ROWS[row], "seeds": seeds[row]} for row in ROWS}
        result: dict[str, Any] = {"recipe": options.recipe, "n": seed + 1, "rows": rows}
        write_result(f"{options.recipe}-ablation", result)
        (DOCS / "ablation.md").write_text(table(result))


def table(result: dict[str, Any]) -> str:
    """Return the page with the table."""
    rows = {name: row["seeds"] for name, row in result["rows"].items()}
    base = next(iter(rows.values()))
    n = result["n"]
    lines = [
        f"# What each choice of `{result['recipe']}` is worth",
        "",
        "One change a row, at equal cost: where epochs become cheaper or dearer, there are more or "
        "fewer of them, and where the batch or the optimiser changes, so does the learning rate "
        "(`ROWS` in `benchmarks/ablation.py` has each). Validation accuracy in per cent, mean "
        f"of {n} seeds; the difference to the recipe is taken seed by seed (same pictures set "
        "aside), ± its standard deviation over the seeds. Made by `python benchmarks/ablation.py`.",
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
        sign = "+" if statistics.fmean(gaps) > 0 else ""
        gap = "" if values is base else sign + mean_std(gaps)
        lines.append(f"| {name} | {statistics.fmean(accuracy):.2f} | {gap} | {loss:.4f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
