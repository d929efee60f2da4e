"""Runs that are killed or stopped at random moments, on the real data, by the command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Cli

pytestmark = pytest.mark.real_data

KILLS = 10
# 10,000 training pictures and a smaller network: three epochs take some seconds.
WORDS = [
    *("train", "two-conv", "--seed", "1", "--device", "cpu"),
    *("--set", "data.validation_images=50000", "--set", "model.channels=[8, 16]"),
    *("--set", "training.epochs=4", "--set", "averaging.ema_decay=0.99"),
]
CLOCKED = ("train/seconds", "train/images_per_second")


def start(out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fashioncnn", *WORDS, "--out", str(out), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[dict[str, float]], float]:
    """The bytes of a run that was never stopped, and what its training took."""
    out = tmp_path_factory.mktemp("whole")
    process = start(out)
    _, words = process.communicate(timeout=300)
    assert process.returncode == 0, words
    run = only_run(out)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return *final(run), sum(json.loads(line)["train/seconds"] for line in lines)


def wait_for_training(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if "parameters" in line:
            return
    raise AssertionError("training did not begin")


def test_sigkill_at_random_moments_loses_nothing(
    whole: tuple[bytes, list[dict[str, float]], float], tmp_path: Path
) -> None:
    chance = random.Random(int(os.environ.get("KILL_SEED", "0")))
    weights, records, seconds = whole
    killed = 0
    while killed < KILLS:
        process = start(tmp_path, "--resume")
        wait_for_training(process)
        time.sleep(chance.uniform(0, 0.6 * seconds))
        process.kill()
        process.communicate()
        if process.returncode == 0:
            break
        killed += 1
    done = start(tmp_path, "--resume")
    _, words = done.communicate(timeout=300)
    assert done.returncode == 0, words
    run = only_run(tmp_path)
    assert final(run) == (weights, records)
    kept = {path.name for path in (run / "checkpoints").iterdir()}
    assert len([name for name in kept if name.endswith(".safetensors")]) <= 2
    assert not [name for name in kept if name.endswith(".tmp")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_saves_ends_fast_and_names_the_command(
    number: signal.Signals,
    whole: tuple[bytes, list[dict[str, float]], float],
    tmp_path: Path,
    cli: Cli,
) -> None:
    weights, records, seconds = whole
    process = start(tmp_path)
    wait_for_training(process)
    time.sleep(0.4 * seconds)
    asked = time.perf_counter()
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert time.perf_counter() - asked < 5
    assert process.returncode == 130
    assert "Traceback" not in words
    assert "saved in" in words
    command = words.splitlines()[-1].removeprefix("go on with: ")
    assert command.endswith("--resume")
    done = subprocess.run(
        ["bash", "-c", command.replace("python", sys.executable, 1)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert final(only_run(tmp_path)) == (weights, records)
