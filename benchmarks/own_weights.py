"""Make the bundle that comes with the package, of a run of `photo`, its weights in fp16.

Usage: python benchmarks/own_weights.py RUN
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch

from fashioncnn.bundles.bundle import CARD, CONFIG, WEIGHTS
from fashioncnn.opening.runs import as_run
from fashioncnn.runs import checkpoints
from fashioncnn.runs.files import to_json
from fashioncnn.workflows.export import export
from shared import ROOT

OUT = ROOT / "src" / "fashioncnn" / "weights"
MAX_BYTES = 1 << 20


def main() -> None:
    """Narrow the weights, and export; the weights beside the ONNX file are left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run = as_run(parser.parse_args().run)
    folder = OUT / run.path.parent.name
    saved = checkpoints.load(run.checkpoints, "best")
    network = {
        name: value.half() if value.is_floating_point() else value
        for name, value in saved.tensors.items()
        if name.startswith("model/")
    }
    assert all(torch.isfinite(value).all() for value in network.values())
    with tempfile.TemporaryDirectory() as scratch:
        narrow = Path(scratch) / run.path.name
        (narrow / "checkpoints").mkdir(parents=True)
        for file in (run.recipe_file, run.provenance_file):
            shutil.copyfile(file, narrow / file.name)
        values = {key: saved.values[key] for key in ("epoch", "step")}
        checkpoints.save(narrow / "checkpoints", network, values, ["best"])
        bundle = export(narrow, folder)
    config = json.loads((folder / CONFIG).read_text())
    del config["files"][WEIGHTS]
    (folder / CONFIG).write_text(to_json(config))
    (folder / WEIGHTS).unlink()
    size = sum(file.stat().st_size for file in folder.iterdir())
    assert size < MAX_BYTES, f"{size:,} bytes"
    print(f"{bundle.path}: {size:,} bytes, {CARD} says how good it is")


if __name__ == "__main__":
    main()
