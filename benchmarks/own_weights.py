"""Make the weights that come with the package, of a run of `photo`: its network alone, in fp16.

Usage: python benchmarks/own_weights.py RUN
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from fashioncnn.evaluation.intervals import wilson
from fashioncnn.opening.runs import as_run
from fashioncnn.runs import checkpoints
from fashioncnn.runs.files import to_json
from fashioncnn.workflows.evaluate import evaluate
from shared import ROOT

WEIGHTS = ROOT / "src" / "fashioncnn" / "weights"
MAX_BYTES = 1 << 20
CARD = """# The network that comes along

A network of the recipe `{recipe}` (see recipe.toml and provenance.json), trained on the 60,000
training pictures of Fashion-MNIST (Zalando Research, MIT licence), seed {seed}. Test accuracy, one
reading: {accuracy:.2f} % [{low:.2f}, {high:.2f}]. Weights are fp16, {bytes:,} bytes; digests stand
in checkpoints/best.json. Made by `python benchmarks/own_weights.py RUN`.

It is for photographs of one garment each, converted by `fashioncnn predict`. How it answers
photographs, and where it fails (pairs of shoes, sleeves spread wide, patterned ground), stands in
docs/lab-notes.md. It knows ten classes and nothing else; nobody should be judged by it.
"""


def main() -> None:
    """Copy what opening and predicting need."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run = as_run(parser.parse_args().run)
    scores = evaluate(run)
    saved = checkpoints.load(run.checkpoints, "best")
    network = {
        name: value.half() if value.is_floating_point() else value
        for name, value in saved.tensors.items()
        if name.startswith("model/")
    }
    assert all(torch.isfinite(value).all() for value in network.values())
    folder = WEIGHTS / run.path.parent.name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copyfile(run.recipe_file, folder / run.recipe_file.name)
    # Where the data lay on this machine is of no use elsewhere.
    facts = run.provenance | {"data_set": run.provenance["data_set"] | {"place": "fashion-mnist"}}
    (folder / run.provenance_file.name).write_text(to_json(facts))
    values = {key: saved.values[key] for key in ("epoch", "step")}
    checkpoints.save(folder / "checkpoints", network, values, ["best"])
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert size < MAX_BYTES, f"{size:,} bytes"
    interval = wilson(round(scores.accuracy * scores.n), scores.n)
    card = CARD.format(
        recipe=run.path.parent.name,
        seed=run.seed,
        accuracy=100 * scores.accuracy,
        low=100 * interval.low,
        high=100 * interval.high,
        bytes=size,
    )
    (folder / "README.md").write_text(card)
    print(f"{folder}: {size:,} bytes")


if __name__ == "__main__":
    main()
