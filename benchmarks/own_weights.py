"""Make bundles that come with the package, of runs; each is called by its recipe.

Where weights in fp32 would be too large, they are narrowed to fp16 and measured so, and the file of
weights beside the ONNX file is left out.

Usage: python benchmarks/own_weights.py RUN...
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch

from fashioncnn.bundles.bundle import CONFIG, WEIGHTS
from fashioncnn.opening.runs import as_run
from fashioncnn.runs import checkpoints
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import to_json
from fashioncnn.workflows.export import export
from shared import ROOT

OUT = ROOT / "src" / "fashioncnn" / "weights"
MAX_BYTES = 1_500_000


def main() -> None:
    """Export each run, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    for given in parser.parse_args().runs:
        run = as_run(given)
        folder = OUT / run.path.parent.name
        with tempfile.TemporaryDirectory() as scratch:
            made = Path(scratch) / "bundle"
            export(run, made, explorer=False)
            if size(made) > MAX_BYTES:
                export(narrowed(run, Path(scratch)), made, explorer=False)
                config = json.loads((made / CONFIG).read_text())
                del config["files"][WEIGHTS]
                (made / CONFIG).write_text(to_json(config))
                (made / WEIGHTS).unlink()
            assert size(made) <= MAX_BYTES, f"{size(made):,} bytes"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(made, folder)
        print(f"{folder}: {size(folder):,} bytes")


def narrowed(run: Run, scratch: Path) -> Path:
    """Return a copy of what an export needs of a run, its weights in fp16."""
    saved = checkpoints.load(run.checkpoints, "best")
    network = {
        name: value.half() if value.is_floating_point() else value
        for name, value in saved.tensors.items()
        if name.startswith("model/")
    }
    assert all(torch.isfinite(value).all() for value in network.values())
    folder = scratch / run.path.name
    (folder / "checkpoints").mkdir(parents=True)
    for file in (run.recipe_file, run.provenance_file):
        shutil.copyfile(file, folder / file.name)
    values = {key: saved.values[key] for key in ("epoch", "step")}
    checkpoints.save(folder / "checkpoints", network, values, ["best"])
    return folder


def size(folder: Path) -> int:
    """Return how many bytes the files of a folder have."""
    return sum(file.stat().st_size for file in folder.iterdir())


if __name__ == "__main__":
    main()
