"""Measure what a study costs beside its training: 1 and 2 workers, and Ray with two processors.

Every way tries the same sixteen settings once, none given up, in alternation. Settings an hour are
counted from the first setting's start to the last one's end; what a setting costs beside its
epochs is its time in the study less the time of its epochs. Writes
benchmarks/results/tuning-speed.json.

Usage: python benchmarks/tuning_speed.py [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ray.cluster_utils import Cluster

from fashioncnn.evaluation.summary import summarise
from fashioncnn.runs.directory import Run
from fashioncnn.tuning.open_search import open_search
from fashioncnn.tuning.space import read_space
from shared import write_result

SPACE = """
name = "tuning-speed"
recipe = "fast-92"
[space]
optimizer.learning_rate = [0.06, 0.08, 0.1, 0.12]
optimizer.momentum = [0.5, 0.6, 0.7, 0.8]
data.validation_images = [5000]
schedule.warmup_epochs = [0.3]
training.epochs = [1]
"""
WAYS = {
    "1 worker": ["--workers", "1"],
    "2 workers": ["--workers", "2"],
    "Ray, 2 processors": ["--executor", "ray"],
}


def once(way: str, address: str) -> dict[str, float]:
    """Run a study in a folder of its own; for Ray, on the cluster at `address`."""
    options = WAYS[way] + (["--address", address] if "ray" in WAYS[way] else [])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "space.toml"
        file.write_text(SPACE, "utf-8")
        command = [sys.executable, "-m", "fashioncnn", "tune", str(file), "--out", name]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        with open_search(read_space(file), folder, sampler="grid") as search:
            trials = search.study.get_trials()
        spent, beside = [], []
        for trial in trials:
            assert trial.datetime_start
            assert trial.datetime_complete
            run = Run(folder / trial.user_attrs["runs"][0])
            epochs = sum(record["train/seconds"] for record in run.metrics)
            spent.append(epochs)
            beside.append((trial.datetime_complete - trial.datetime_start).total_seconds() - epochs)
        first = min(trial.datetime_start for trial in trials if trial.datetime_start)
        last = max(trial.datetime_complete for trial in trials if trial.datetime_complete)
    return {
        "settings_an_hour": 3600 * len(trials) / (last - first).total_seconds(),
        "epochs_seconds": statistics.fmean(spent),
        "beside_seconds": statistics.median(beside),
    }


def main() -> None:
    """Measure every way `--repeats` times and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    node = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        for _ in range(repeats):
            for way, results in found.items():
                results.append(once(way, node.address))
                print(way, results[-1], flush=True)
    finally:
        node.shutdown()  # type: ignore[no-untyped-call]
    facts = {
        "ways": {way: summarise(results) for way, results in found.items()},
        "repeats": repeats,
    }
    write_result("tuning-speed", facts)


if __name__ == "__main__":
    main()
