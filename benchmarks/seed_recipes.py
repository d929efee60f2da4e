"""Measure both seed recipes, and `two-conv` against the ordinary way of writing it.

Every run is a process of its own, one after the other, alternating between the ways, so that a
machine whose speed drifts treats all alike; ratios are taken pair by pair. Writes
benchmarks/results/<name>.json and prints each figure. A run is the whole way from nothing to test
scores: `run/seconds` is the time of its commands, `train/seconds` of the epochs alone. About an
hour on two cores.

Usage: python benchmarks/seed_recipes.py [--seeds 5] [--resume] [--epochs N] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
from fashioncnn.evaluation.scores import Scores
from fashioncnn.evaluation.summary import summarise

Metrics = dict[str, float]
HERE = Path(__file__).resolve().parent


def fashioncnn(recipe: str, seed: int, epochs: int | None, *options: str) -> Metrics:
    """Train and evaluate a recipe by the command line; return its test metrics and seconds."""
    changes = [] if epochs is None else ["--set", f"training.epochs={epochs}"]
    with tempfile.TemporaryDirectory() as out:
        program = [sys.executable, "-m", "fashioncnn"]
        train = [*program, "train", recipe, "--seed", str(seed), "--out", out, "--json"]
        started = time.perf_counter()
        (run,) = _json([*train, *changes, *options])["runs"]
        _json([*program, "evaluate", run, "--json"])
        seconds = time.perf_counter() - started
        records = [json.loads(line) for line in (Path(run) / "metrics.jsonl").open()]
        last = records[-1]
        return {
            "run/seconds": seconds,
            "train/seconds": sum(record["train/seconds"] for record in records),
            "train/loss": last["train/loss"],
            "val/loss": last["val/loss"],
            "val/accuracy": last["val/accuracy"],
            **_test_metrics(Path(run)),
        }


def _test_metrics(run: Path) -> Metrics:
    return Scores.from_json(json.loads((run / "evaluation/scores.json").read_text())).metrics()


def ordinary(seed: int, epochs: int | None) -> Metrics:
    """Train and test the ordinary way of `two-conv`."""
    changes = [] if epochs is None else ["--epochs", str(epochs)]
    started = time.perf_counter()
    answer = _json([sys.executable, str(HERE / "ordinary.py"), "--seed", str(seed), *changes])
    return {"run/seconds": time.perf_counter() - started, **answer["metrics"]}


def _json(command: list[str]) -> Any:
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def ratio(slow: list[Metrics], fast: list[Metrics]) -> dict[str, Any]:
    """Return how many times faster the whole run of `fast` was than that of `slow`, by pairs."""
    values = [
        one["run/seconds"] / other["run/seconds"] for one, other in zip(slow, fast, strict=True)
    ]
    return {"median": statistics.median(values), "values": values}


def main() -> None:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--resume", action="store_true", help="go on after the seeds in --out")
    parser.add_argument("--epochs", type=int, default=None, help="other than the recipes' own")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()

    ways: dict[str, Callable[[int], Metrics]] = {
        "two-conv": lambda seed: fashioncnn("two-conv", seed, options.epochs),
        "two-conv-bf16": lambda seed: fashioncnn(
            "two-conv", seed, options.epochs, "--precision", "bf16"
        ),
        "two-conv-ordinary": lambda seed: ordinary(seed, options.epochs),
        "three-conv": lambda seed: fashioncnn("three-conv", seed, options.epochs),
    }
    measured = {name: _earlier(options.out, name) if options.resume else [] for name in ways}
    for seed in range(options.seeds):
        for name, way in ways.items():
            if seed < len(measured[name]):
                continue
            metrics = way(seed)
            measured[name].append(metrics)
            print(
                f"{name}, seed {seed}: {metrics['run/seconds']:.1f} s, "
                f"of it training {metrics['train/seconds']:.1f} s, "
                f"test accuracy {metrics['test/accuracy']:.4f}, "
                f"Shirt F1 {metrics['test/f1/Shirt']:.4f}",
                flush=True,
            )
            _write(options.out, measured, options.epochs)


def _earlier(out: Path, name: str) -> list[Metrics]:
    path = out / f"{name}.json"
    if not path.exists():
        return []
    result = json.loads(path.read_text())
    metrics = result["metrics"].items()
    return [{key: one["values"][seed] for key, one in metrics} for seed in range(result["n"])]


def _write(out: Path, measured: dict[str, list[Metrics]], epochs: int | None) -> None:
    facts = machine.provenance()
    facts["command"] = "python benchmarks/seed_recipes.py" + (f" --epochs {epochs}" * bool(epochs))
    facts["date"] = datetime.now(UTC).date().isoformat()
    out.mkdir(parents=True, exist_ok=True)
    slow = measured["two-conv-ordinary"]
    for name, values in measured.items():
        if not values:
            continue
        ratios = {}
        if name in ("two-conv", "two-conv-bf16") and slow:
            ratios["two-conv-ordinary"] = ratio(slow, values[: len(slow)])
        result = {
            "recipe": name,
            "n": len(values),
            "metrics": summarise(values),
            "ratios": ratios,
            **facts,
        }
        (out / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
