"""Other ways to train the same network: scripts in `benchmarks/peers`, pinned in their own place.

A peer is one script, `<name>.py`, that takes --seed and prints one JSON object: {"metrics": {...}}
with "train/seconds" and "test/accuracy" at least. All run in one environment, `.venv` beside
them, made from `requirements.txt`; this package is put on its path, for data and scores.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from fashioncnn.benchmarking.commands import Finished, run
from fashioncnn.benchmarking.ways import Metrics
from fashioncnn.errors import BenchmarkError

DEFAULT_FOLDER = Path("benchmarks/peers")


def peer_names(folder: Path) -> list[str]:
    """List the peers in `folder`."""
    return sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))


def check_peer(name: str, folder: Path) -> None:
    """Raise BenchmarkError when there is no peer of that name."""
    if name not in (names := peer_names(folder)):
        there = f"there is {', '.join(names)}" if names else "that folder has none"
        raise BenchmarkError(f"no peer {name!r} in {folder}; {there}")


def run_peer(name: str, folder: Path, seed: int) -> Finished:
    """Train and test a peer once, in its own environment."""
    package = str(Path(__file__).resolve().parents[2])
    command = [str(environment(folder)), str(folder / f"{name}.py"), "--seed", str(seed)]
    return run(command, {"PYTHONPATH": package})


def environment(folder: Path) -> Path:
    """Return the peers' Python; made first where it is missing or of other requirements."""
    requirements = folder / "requirements.txt"
    place = folder / ".venv"
    stamp = place / "requirements.sha256"
    python = place / "bin" / "python"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise BenchmarkError(f"cannot make {place}: {lines[-1] if lines else command}")
    stamp.write_text(digest)
    return python


def measure_peer(name: str, peers: Path, seed: int) -> Metrics:
    """Run a peer with a seed; return its figures. Raises BenchmarkError where they are none."""
    finished = run_peer(name, peers, seed)
    try:
        metrics: Metrics = finished.answer["metrics"]
        return {
            **metrics,
            "train/seconds": metrics["train/seconds"],
            "test/accuracy": metrics["test/accuracy"],
            "run/seconds": finished.seconds,
            "train/peak_memory_mib": finished.peak_memory_mib,
        }
    except (KeyError, TypeError):
        raise BenchmarkError(
            f"peer {name} must print metrics with train/seconds and test/accuracy; "
            f"it printed {json.dumps(finished.answer)[:200]}"
        ) from None
