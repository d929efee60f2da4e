"""Several processes, started by torchrun, train one network as one process would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import safetensors.torch
import torch

import fashioncnn as fc
import together_worker
from conftest import use_tiny_data
from fashioncnn.errors import Stopped
from fashioncnn.runs.directory import Run, runs_below
from forks import Fork

pytestmark = pytest.mark.real_data

RECIPE = """
name = "together"
[data]
validation_images = 500
[model]
family = "strided-cnn"
channels = [4, 8]
blocks = [1, 1]
[optimizer]
name = "sgd"
learning_rate = 0.002
[training]
epochs = 2
batch_size = 50
precision = "fp32"
"""


TRAIN = ("-m", "fashioncnn", "train")


@pytest.fixture(autouse=True)
def few_pictures(first_real: Callable[[int, int], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny_data(monkeypatch, first_real(2500, 100))


def torchrun(*words: object) -> list[str]:
    """Return the command that starts two processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return [sys.executable, *launcher, *map(str, words)]


def launch(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(torchrun(*words), capture_output=True, text=True, timeout=300)


def the_run(out: Path) -> Run:
    (run,) = runs_below(out / "together")
    return run


@pytest.mark.parametrize("name", ["strided", "plain"])
def test_two_processes_train_as_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In double precision, where rounding cannot hide a difference.
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    together_worker.train(name, one)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in (0, 1):
        # What torchrun tells its processes.
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        told |= {"GROUP_RANK": 0, "MASTER_PORT": port}
        for name_told, number in told.items():
            monkeypatch.setenv(name_told, str(number))
        monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
        processes.append(Fork(tmp_path / str(rank), together_worker.train, name, two))
    for process in processes:
        assert process.wait() == 0, process.stderr
    mine, other = safetensors.torch.load_file(one), safetensors.torch.load_file(two)
    assert mine.keys() == other.keys()
    assert {"record/train_loss", "record/val_loss"} < mine.keys()
    for key, value in mine.items():
        # Validation takes its loss in fp32.
        rtol = 1e-6 if key == "record/val_loss" else 1e-7
        torch.testing.assert_close(other[key], value, rtol=rtol, atol=1e-9, msg=key)


def test_processes_go_on_where_one_stopped(tmp_path: Path) -> None:
    recipe = tmp_path / "together.toml"
    recipe.write_text(RECIPE)
    whole = fc.train(recipe, out=tmp_path / "whole", device="cpu")
    with pytest.raises(Stopped):
        fc.train(recipe, out=tmp_path / "parts", device="cpu", after_epoch=lambda record: True)
    ended = launch(*TRAIN, recipe, "--out", tmp_path / "parts", "--device", "cpu", "--resume")
    assert ended.returncode == 0, ended.stderr
    # One process speaks and writes.
    assert ended.stderr.count("going on in epoch 2") == 1
    assert ended.stderr.count("epoch 2/2") == 1
    assert ended.stdout.count("Validation, best epoch: ") == 1
    for mine, other in zip(whole.metrics, the_run(tmp_path / "parts").metrics, strict=True):
        assert mine["train/loss"] == pytest.approx(other["train/loss"], rel=0.02)
        assert mine["val/loss"] == pytest.approx(other["val/loss"], rel=0.02)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_others_with_a_line(killed: int, tmp_path: Path) -> None:
    recipe = tmp_path / "together.toml"
    recipe.write_text(RECIPE)
    words = torchrun(
        *TRAIN, recipe, "--out", tmp_path, "--device", "cpu", "--set", "training.epochs=400"
    )
    told = []
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as launched:
        assert launched.stderr
        for line in launched.stderr:
            told.append(line)
            if line.startswith("epoch   2/400"):
                os.kill(_children(launched.pid)[killed], signal.SIGKILL)
    text = "".join(told)
    assert f"error: process {1 - killed} of 2 lost touch with another" in text
    assert "go on with: torchrun" in text
    assert launched.returncode == 1
    run = the_run(tmp_path)
    epochs = len(run.metrics)
    assert 2 <= epochs < 400

    # What is on the disk is whole: a single process goes on from there.
    longer = partial(fc.train, recipe, changes=["training.epochs=400"], device="cpu", resume=True)
    with pytest.raises(Stopped):
        longer(out=tmp_path, after_epoch=lambda record: bool(record["epoch"] > epochs))
    assert len(run.metrics) == epochs + 1


def _children(parent: int) -> list[int]:
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return sorted(map(int, told.split()))


def test_what_cannot_be_shared_out_is_said_once(tmp_path: Path) -> None:
    recipe = tmp_path / "together.toml"
    recipe.write_text(RECIPE)
    ended = launch(
        *TRAIN, recipe, "--set", "training.batch_size=45", "--out", tmp_path, "--device", "cpu"
    )
    assert ended.returncode != 0
    assert ended.stderr.count("error: training.batch_size is 45: 2 processes cannot share") == 1
