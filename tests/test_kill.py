"""Runs that are killed or stopped at random moments, on the real data, by the command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import use_tiny_data
from forks import Fork, command_line

pytestmark = pytest.mark.real_data

KILLS = 10
# Small pictures and a smaller network: the epochs take some seconds.
WORDS = [
    *("train", "two-conv", "--seed", "1", "--device", "cpu"),
    *("--set", "data.validation_images=2000", "--set", "model.channels=[8, 16]"),
    *("--set", "data.image_size=14"),
    *("--set", "training.epochs=4", "--set", "averaging.ema_decay=0.99"),
]
CLOCKED = ("train/seconds", "train/first_step_seconds", "train/images_per_second")


@pytest.fixture(scope="module", autouse=True)
def few_pictures(first_real: Callable[[int, int], Path]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, first_real(12_000, 100))
        yield


def start(out: Path, *more: str) -> Fork:
    said = out.with_name(f"{out.name}-said-{time.time_ns()}")
    return command_line(said, *WORDS, "--out", out, *more)


def only_run(out: Path) -> Path:
    (run,) = [path for path in (out / "two-conv").iterdir() if not path.name.startswith(".")]
    return run


def final(run: Path) -> tuple[bytes, list[dict[str, float]]]:
    last = json.loads((run / "checkpoints" / "last.json").read_text())
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for record in records:
        for name in CLOCKED:
            record.pop(name)
    return (run / "checkpoints" / last["tensors"]).read_bytes(), records


@dataclass(frozen=True)
class Whole:
    """A run that was never stopped: its last weights, its log, and what training took."""

    weights: bytes
    records: list[dict[str, float]]
    seconds: float


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    out = tmp_path_factory.mktemp("whole")
    process = start(out)
    assert process.wait() == 0, process.stderr
    run = only_run(out)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return Whole(*final(run), sum(json.loads(line)["train/seconds"] for line in lines))


def train_until(process: Fork, seconds: float, sign: str = "parameters") -> bool:
    """Wait until it says `sign` and then so long; say whether it is still running."""
    if process.wait_for(sign):
        time.sleep(seconds)
    return process.status is None


def test_sigkill_at_random_moments_loses_nothing(whole: Whole, tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("KILL_SEED", "0")))
    killed, attempt = 0, 0
    while killed < KILLS:
        out = tmp_path / str(attempt)
        process = start(out, "--resume")
        if train_until(process, chance.uniform(0, 0.3 * whole.seconds)):
            process.send(signal.SIGKILL)
            killed += 1
        else:
            attempt += 1
        process.wait()
    for number in range(attempt + 1):
        out = tmp_path / str(number)
        process = start(out, "--resume")
        assert process.wait() == 0, process.stderr
        assert final(only_run(out)) == (whole.weights, whole.records)
        kept = [path.name for path in (only_run(out) / "checkpoints").iterdir()]
        assert len([name for name in kept if name.endswith(".safetensors")]) <= 2
        assert not [name for name in kept if name.endswith(".tmp")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_saves_ends_fast_and_names_the_command(
    number: signal.Signals, whole: Whole, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    process = start(out)
    assert train_until(process, 0.1 * whole.seconds, "epoch 1/")
    asked = time.perf_counter()
    process.send(number)
    assert process.wait(60) == 130
    assert time.perf_counter() - asked < 5
    assert "Traceback" not in process.stderr
    assert "saved in" in process.stderr
    command = process.stderr.splitlines()[-1].removeprefix("go on with: ")
    assert command.endswith("--resume")
    done = subprocess.run(
        ["bash", "-c", command.replace("python", sys.executable, 1)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert final(only_run(out)) == (whole.weights, whole.records)
