"""Training through its public face, on tiny synthetic pictures."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.console import stopping
from fashioncnn.data.dataset import DataSet
from fashioncnn.errors import (
    DataError,
    DeviceError,
    Diverged,
    RecipeError,
    RunError,
    Stopped,
    StorageError,
)
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import load
from fashioncnn.runs import checkpoints
from fashioncnn.runs.directory import create, new_path
from fashioncnn.training.device import PrecisionName, fabric_for, has_bf16
from fashioncnn.training.loop import Training
from fashioncnn.training.processes import Processes

pytestmark = pytest.mark.usefixtures("tiny_data")
WHOLE_RUN = Training.run


def records(run: fc.Run) -> list[dict[str, Any]]:
    """The log without what the clock says."""
    clocked = ("train/seconds", "train/first_step_seconds", "train/images_per_second")
    return [
        {key: value for key, value in record.items() if key not in clocked}
        for record in run.metrics
    ]


def tensor_bytes(run: fc.Run) -> bytes:
    last = json.loads((run.checkpoints / "last.json").read_text())
    return (run.checkpoints / str(last["tensors"])).read_bytes()


def test_it_learns_and_leaves_a_whole_run_directory(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, seed=3, out=tmp_path / "runs", device="cpu")
    assert run.path.parent == tmp_path / "runs" / "tiny"
    assert run.path.name.endswith("-s3")
    assert sorted(path.name for path in run.path.iterdir()) == [
        "checkpoints",
        "metrics.jsonl",
        "provenance.json",
        "recipe.toml",
        "snapshots",
    ]
    assert load(run.recipe_file) == load(tiny_recipe)
    metrics = run.metrics
    assert [record["epoch"] for record in metrics] == [1, 2, 3]
    assert metrics[-1]["val/accuracy"] > 0.9
    assert metrics[-1]["train/loss"] < metrics[0]["train/loss"]
    shares = [one["train/first_step_seconds"] / one["train/seconds"] for one in metrics]
    assert 0 < min(shares) < 0.9
    facts = run.provenance
    assert facts["seed"] == 3
    assert {"data", "split", "versions", "threads", "command", "hardware"} <= set(facts)


def test_the_same_seed_gives_the_same_bits(tiny_recipe: Path, tmp_path: Path) -> None:
    one, same, other = (
        fc.train(tiny_recipe, seed=seed, out=tmp_path / name, device="cpu")
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert tensor_bytes(one) == tensor_bytes(same) != tensor_bytes(other)
    assert records(one) == records(same) != records(other)


def test_best_is_best_by_validation(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, changes=["training.epochs=6"], device="cpu")
    # The mean over pictures, of which a guess among ten classes has log 10.
    assert all(0 < record["val/loss"] < 2 * math.log(10) for record in run.metrics)
    accuracies = [(r["val/accuracy"], -r["val/loss"], r["epoch"]) for r in run.metrics]
    best = checkpoints.load(run.checkpoints, "best").values["epoch"]
    assert best == max(accuracies, key=lambda entry: entry[:2])[2]
    assert checkpoints.load(run.checkpoints, "last").values["epoch"] == 6


OPTIONS = [
    ["model.batch_norm=true"],
    ["model.dropout=0.5"],
    ["model.channels=[4, 8, 8, 8]"],
    ["model.hidden_features=[16, 16]", "model.hidden_batch_norm=true"],
    ["model.initialisation=he"],
    ["loss.class_weights.Shirt=2.0"],
    ["loss.label_smoothing=0.1"],
    ["augmentation.by_class.Shirt.rotation_degrees=30.0"],
    ["augmentation.by_class.Shirt.erasing_probability=0.5"],
    ["augmentation.translation_pixels=2.0"],
    ["augmentation.erasing_probability=0.3"],
    ["augmentation.shift_pixels=2"],
    ["augmentation.drawn_probability=0.3"],
    [
        *("augmentation.shuffled_probability=0.3", "selection.full_epochs=1"),
        *("selection.kept_share=0.4", "training.epochs=3"),
    ],
    ["augmentation.by_class.Shirt.shift_pixels=2"],
    ["augmentation.horizontal_flip_probability=0.5", "augmentation.alternating_flip=true"],
    ["selection.full_epochs=1", "selection.kept_share=0.4", "training.epochs=3"],
    ["model.batch_norm=true", "optimizer.name=muon", "optimizer.learning_rate=0.1"],
    ["optimizer.name=adamw", "optimizer.weight_decay=0.01"],
    ["optimizer.name=sgd", "optimizer.learning_rate=0.05"],
    ["optimizer.name=sgd", "optimizer.learning_rate=0.05", "optimizer.momentum=0.0"],
    ["schedule.name=cosine"],
    ["schedule.name=one-cycle", "schedule.warmup_epochs=0.5"],
    ["averaging.ema_decay=0.9"],
    ["training.batch_size=100"],
    ["training.shuffle=false"],
    ["training.precision=bf16"],
    ["data.image_size=32", "data.pixel_mean=0.5", "data.pixel_std=0.5"],
    ["data.validation_images=0"],
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_slow_bf16_is_said(
    precision: PrecisionName,
    tiny_recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fc.train(tiny_recipe, out=tmp_path, device="cpu", precision=precision)
    slow = precision == "bf16" and not has_bf16("cpu")
    assert ("no instructions" in capsys.readouterr().err) == slow


@pytest.mark.parametrize("changes", OPTIONS, ids=" ".join)
def test_every_option_changes_the_weights_and_resumes_exactly(
    changes: list[str], tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: dict[str, Any] = {"changes": changes, "device": "cpu"}
    whole = fc.train(tiny_recipe, out=tmp_path / "whole", **arguments)
    plain = fc.train(tiny_recipe, out=tmp_path / "plain", device="cpu")
    assert records(whole) != records(plain)
    assert all(math.isfinite(record["val/loss"] or 0.0) for record in whole.metrics)

    stop_after(monkeypatch, steps=4)
    with pytest.raises(Stopped, match=r"stopped in epoch \d of 3 after step \d+ of"):
        fc.train(tiny_recipe, out=tmp_path / "parts", **arguments)
    for _ in range(2):
        with pytest.raises(Stopped):
            fc.train(tiny_recipe, out=tmp_path / "parts", resume=True, **arguments)
    stop_after(monkeypatch, steps=10**9)
    parts = fc.train(tiny_recipe, out=tmp_path / "parts", resume=True, **arguments)
    assert tensor_bytes(parts) == tensor_bytes(whole)
    assert records(parts) == records(whole)
    assert len(list((tmp_path / "parts" / "tiny").iterdir())) == 1


STAGED = """
name = "staged"
[data]
validation_images = 50
[model]
family = "strided-cnn"
channels = [4, 8, 8]
blocks = [1, 0, 1]
[optimizer]
name = "muon"
learning_rate = 0.1
[progressive_resizing]
image_scales = [0.5, 0.7]
epoch_shares = [0.25, 0.25]
[freezing]
after_share = 0.5
stages = 2
[training]
epochs = 4
batch_size = 64
"""


def test_warm_up_lasts_as_long_as_the_first_epochs(tiny_recipe: Path) -> None:
    """Later ones have fewer steps: over the hard pictures alone."""
    changes = ["selection={full_epochs=1, kept_share=0.5}", "schedule.warmup_epochs=1"]
    recipe = load(tiny_recipe, changes)
    splits = build_splits(recipe, make_pictures())
    training = build_training(recipe, splits, 0, Processes(fabric_for("cpu", "fp32")))
    steps = training.batches.steps(0)
    assert training.batches.steps(1) < steps
    rates = [training.learning_rate_factor(step) for step in range(steps + 1)]
    assert rates == pytest.approx([step / steps for step in range(steps + 1)])


def test_pictures_grow_and_stages_stop_learning(tmp_path: Path) -> None:
    path = tmp_path / "staged.toml"
    path.write_text(STAGED)
    recipe = load(path)
    splits = build_splits(recipe, make_pictures())
    fabric = fabric_for("cpu", "fp32")
    state = build_state(recipe, 10, 0, fabric.device)
    sides: list[int] = []

    def see(network: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        if network.training:
            sides.append(given[0].shape[-1])

    state.network.register_forward_pre_hook(see)
    seen, learned = [], []
    before = {name: one.clone() for name, one in state.network.state_dict().items()}
    for _ in build_training(recipe, splits, 0, Processes(fabric)).run(state):
        seen.append(set(sides))
        sides.clear()
        after = {name: one.clone() for name, one in state.network.state_dict().items()}
        changed = {
            name.split(".")[1] for name in after if not torch.equal(after[name], before[name])
        }
        learned.append({name.split("_")[0] for name in changed})
        before = after
    assert seen == [{14}, {20}, {28}, {28}]
    everything = {"conv1", "conv2", "conv3", "output"}
    assert learned == [everything, everything, {"conv3", "output"}, {"conv3", "output"}]


@pytest.mark.parametrize("averaged", [False, True])
def test_small_pictures_and_frozen_stages_resume_exactly(
    averaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "staged.toml"
    recipe.write_text(STAGED + f"[averaging]\nema_decay = {0.9 if averaged else 0.0}\n")
    whole = fc.train(recipe, out=tmp_path / "whole", device="cpu")
    stop_after(monkeypatch, steps=12)
    for first in (True, False, False):
        with pytest.raises(Stopped):
            fc.train(recipe, out=tmp_path / "parts", resume=not first, device="cpu")
    stop_after(monkeypatch, steps=10**9)
    parts = fc.train(recipe, out=tmp_path / "parts", resume=True, device="cpu")
    assert tensor_bytes(parts) == tensor_bytes(whole)
    assert records(parts) == records(whole)


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Make the user wish to stop after so many steps of a session."""

    def run(self: Training, state: Any) -> Any:
        done = 0

        def after_step(state: Any) -> bool:
            nonlocal done
            done += 1
            return done >= steps

        return WHOLE_RUN(dataclasses.replace(self, after_step=after_step), state)

    monkeypatch.setattr(Training, "run", run)


def test_resume_of_a_finished_run_returns_it(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, device="cpu")
    before = tensor_bytes(run)
    assert fc.train(tiny_recipe, out=tmp_path, resume=True, device="cpu") == run
    assert fc.train(tiny_recipe, out=run.path, resume=True, device="cpu") == run
    assert tensor_bytes(run) == before


def test_seeds_each_have_a_directory_and_resume_skips_the_finished(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    first = fc.train_seeds(tiny_recipe, seeds=[0, 1], out=tmp_path, device="cpu")
    every = fc.train_seeds(tiny_recipe, seeds=[0, 1, 2], out=tmp_path, resume=True, device="cpu")
    assert every[:2] == first
    assert [run.seed for run in every] == [0, 1, 2]
    assert len({run.path for run in every}) == 3


def test_a_run_of_another_recipe_or_seed_is_not_gone_on_with(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, changes=["training.epochs=1"], device="cpu")
    with pytest.raises(RunError, match=r"another recipe.*training.epochs 1, not 3"):
        fc.train(tiny_recipe, out=run.path, resume=True, device="cpu")
    with pytest.raises(RunError, match="has seed 0, not 5"):
        fc.train(
            tiny_recipe,
            seed=5,
            out=run.path,
            changes=["training.epochs=1"],
            resume=True,
            device="cpu",
        )
    with pytest.raises(RunError, match="is a run already"):
        fc.train(tiny_recipe, out=run.path, device="cpu")


def test_a_run_on_other_pictures_is_not_gone_on_with(tiny_recipe: Path, tmp_path: Path) -> None:
    first, other = (DataSet.of(make_pictures(300, seed)) for seed in (3, 4))
    changes = ["data.validation_images=20", "training.epochs=2"]
    with pytest.raises(Stopped):
        fc.train(
            tiny_recipe,
            data=first,
            changes=changes,
            out=tmp_path,
            device="cpu",
            after_epoch=lambda record: True,
        )
    (begun,) = (tmp_path / "tiny").iterdir()
    with pytest.raises(RunError, match="was trained on other pictures than those of"):
        fc.train(tiny_recipe, data=other, changes=changes, out=begun, resume=True, device="cpu")
    fresh = fc.train(
        tiny_recipe, data=other, changes=changes, out=tmp_path, resume=True, device="cpu"
    )
    assert fresh.path != begun
    again = fc.train(
        tiny_recipe, data=first, changes=changes, out=tmp_path, resume=True, device="cpu"
    )
    assert again.path == begun
    assert [len(one.metrics) for one in (fresh, again)] == [2, 2]


def test_what_cannot_be_trained_is_said_at_once(tiny_recipe: Path, tmp_path: Path) -> None:
    one_left = ["model.hidden_batch_norm=true", "training.batch_size=6"]
    single = ["model.hidden_batch_norm=true", "training.batch_size=1"]
    data = DataSet.of(make_pictures(301, 0), make_pictures(20, 1), make_pictures(20, 2))
    with pytest.raises(RecipeError, match="an epoch of 301 pictures ends with a single one"):
        fc.train(tiny_recipe, data=data, changes=one_left, out=tmp_path, device="cpu")
    with pytest.raises(RecipeError, match="ends with a single one"):
        fc.train(tiny_recipe, data=data, changes=single, out=tmp_path, device="cpu")
    # Without batch norm of features, one picture is enough.
    fc.train(tiny_recipe, data=data, changes=one_left[1:], out=tmp_path, device="cpu")
    with pytest.raises(RecipeError, match="seed -1: it must be a whole number, 0 or more"):
        fc.train(tiny_recipe, seed=-1, out=tmp_path, device="cpu")
    for seed in (1.5, True, "1"):
        with pytest.raises(RecipeError, match=f"seed {seed!r}: it must be a whole number"):
            fc.train(tiny_recipe, seed=seed, out=tmp_path, device="cpu")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="seed 1 is given twice"):
        fc.train_seeds(tiny_recipe, seeds=[1, 1], out=tmp_path, device="cpu")
    with pytest.raises(DeviceError, match="--device tpu: there is none on this machine"):
        fc.train(tiny_recipe, out=tmp_path, device="tpu")  # type: ignore[arg-type]


def test_numpys_numbers_are_numbers(
    tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, one = DataSet.of(make_pictures(90, 0), make_pictures(20, 1)), np.int64(1)
    changes = {"training.epochs": one, "data.validation_images": 0}
    run = fc.train(
        tiny_recipe,
        seed=one,  # type: ignore[arg-type]
        data=data,
        changes=changes,
        device="cpu",
    )
    assert (run.seed, len(run.metrics)) == (1, 1)
    assert fc.open_run(str(run.path)).seed == 1
    with pytest.raises(RunError, match=r"report: \. is a folder; give the page's file"):
        fc.report(run, out=".")
    # A relative path is another one elsewhere.
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir("sub")
    with pytest.raises(RunError, match="no such run directory"):
        _ = run.metrics


def test_processes_train_on_pictures_of_another_size(tiny_recipe: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(40):
        place = tmp_path / "data" / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        side = 20 + number % 3
        Image.fromarray(random.integers(0, 256, (side, side), np.uint8)).save(place)
    (run,) = fc.train_seeds(
        tiny_recipe,
        seeds=[0],
        data=DataSet(tmp_path / "data", (16, 24)),
        changes={"training.epochs": 1, "data.validation_images": 0, "data.image_size": "data"},
        out=tmp_path,
        device="cpu",
        executor=fc.Processes(1),
    )
    assert run.trained_on.shape[1:] == (16, 24)


def test_resume_goes_on_from_the_best_when_the_last_is_damaged(
    tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # At this rate the last epoch is worse than the one before.
    changes = {"optimizer.learning_rate": 0.1, "model.dropout": 0.0}
    whole = fc.train(tiny_recipe, changes=changes, out=tmp_path / "whole", device="cpu")
    run = fc.train(tiny_recipe, changes=changes, out=tmp_path / "damaged", device="cpu")
    checkpoints.save(run.checkpoints, *saved(run, 3))
    best = checkpoints.load(run.checkpoints, "best").values["epoch"]
    (run.checkpoints / "last.json").write_text("{")
    fc.train(tiny_recipe, changes=changes, out=run.path, resume=True, device="cpu")
    assert "last.json: damaged" in capsys.readouterr().err
    assert best == 2
    assert records(run) == records(whole)


def saved(run: fc.Run, epoch: int) -> tuple[Any, Any]:
    checkpoint = checkpoints.load(run.checkpoints, "last")
    assert checkpoint.values["epoch"] == epoch
    return checkpoint.tensors, checkpoint.values


def test_a_loss_that_is_not_finite_ends_the_run(tiny_recipe: Path, tmp_path: Path) -> None:
    changes = ["optimizer.name=sgd", "optimizer.learning_rate=1e30"]
    with pytest.raises(Diverged, match=r"not finite \(epoch 1, by step 16 of 16\).*1e\+30"):
        fc.train(tiny_recipe, out=tmp_path, changes=changes, device="cpu")


def test_two_processes_do_not_train_in_one_directory(tiny_recipe: Path, tmp_path: Path) -> None:
    from fashioncnn.runs.directory import locked

    run = fc.train(tiny_recipe, out=tmp_path, device="cpu")
    with locked(run), pytest.raises(RunError, match="another process"):
        fc.train(tiny_recipe, out=run.path, resume=True, device="cpu")


def test_a_full_disk_leaves_the_previous_checkpoint(
    tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fc.train(tiny_recipe, out=tmp_path / "whole", device="cpu")
    plain = checkpoints.save
    saves = 0

    def save(*arguments: Any, **keywords: Any) -> None:
        nonlocal saves
        saves += 1
        if saves == 2:
            raise StorageError("cannot write it: No space left on device")
        plain(*arguments, **keywords)

    monkeypatch.setattr(checkpoints, "save", save)
    with pytest.raises(StorageError, match="No space left"):
        fc.train(tiny_recipe, out=tmp_path / "full", device="cpu")
    run = fc.train(tiny_recipe, out=tmp_path / "full", resume=True, device="cpu")
    assert tensor_bytes(run) == tensor_bytes(whole)


def test_training_in_another_thread_works(tiny_recipe: Path, tmp_path: Path) -> None:
    runs = []
    thread = threading.Thread(
        target=lambda: runs.append(fc.train(tiny_recipe, out=tmp_path, device="cpu"))
    )
    thread.start()
    thread.join()
    assert len(runs) == 1


def test_signal_handlers_are_put_back() -> None:
    import signal

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stopping.stop_wish() as wish:
        assert not wish
        signal.raise_signal(signal.SIGTERM)
        assert wish
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_stopping_in_the_first_epoch_keeps_the_first_snapshot(
    tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fc.train(tiny_recipe, out=tmp_path / "whole", device="cpu")
    stop_after(monkeypatch, steps=4)
    with pytest.raises(Stopped):
        fc.train(tiny_recipe, out=tmp_path / "parts", device="cpu")
    stop_after(monkeypatch, steps=10**9)
    parts = fc.train(tiny_recipe, out=tmp_path / "parts", resume=True, device="cpu")
    for path in whole.snapshots.iterdir():
        assert (parts.snapshots / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_kills_leave_is_removed(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, device="cpu", changes=["training.epochs=1"])
    host = socket.gethostname()
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = [
        run.snapshots / f".epoch-0002.safetensors.{dead.pid}.tmp",
        run.checkpoints / f".last.json.{dead.pid}.tmp",
        run.path / f".metrics.jsonl.{dead.pid}.tmp",
    ]
    for path in left:
        path.write_bytes(b"half")
    unfinished = run.path.parent / f".new-{host}-{dead.pid}-abc"
    other = run.path.parent / f".new-{host}-{os.getpid()}-abc"
    unfinished.mkdir()
    other.mkdir()
    again: dict[str, Any] = {"changes": ["training.epochs=1"], "out": tmp_path, "device": "cpu"}
    fc.train(tiny_recipe, resume=True, **again)
    fc.train(tiny_recipe, seed=1, **again)
    assert not [path for path in left if path.exists()]
    assert not unfinished.exists()
    assert other.exists()


def test_a_recipe_object_and_a_mapping_of_changes(tiny_recipe: Path, tmp_path: Path) -> None:
    recipe = fc.load_recipe(tiny_recipe)
    run = fc.train(recipe, changes={"training.epochs": 1}, out=tmp_path, device="cpu")
    assert load(run.recipe_file).training.epochs == 1
    assert load(run.recipe_file).model == recipe.model


def test_a_network_says_what_it_sees(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, changes={"training.epochs": 6}, out=tmp_path, device="cpu")
    pictures = make_pictures(20, seed=5)
    trained = fc.load(run, device="cpu")
    answers = trained.predict(pictures.images_NHWC)
    assert answers.probabilities.shape == (20, 10)
    np.testing.assert_allclose(answers.probabilities.sum(1), 1)
    names = [pictures.class_names[label] for label in pictures.labels]
    assert np.mean([one == other for one, other in zip(answers.classes, names, strict=True)]) > 0.8
    with pytest.raises(DataError, match="must be uint8 with 4 axes"):
        trained.predict(pictures.images_NHWC / 255)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="28 x 1 pixels; 8 to 224"):
        trained.predict(pictures.images_NHWC[0])
    with pytest.raises(DataError, match=r"\(n, height, width, 1\)"):
        trained.predict(np.repeat(pictures.images_NHWC, 3, axis=3))
    assert fc.evaluate(run).classes["Shirt"].name == "Shirt"
    with pytest.raises(KeyError, match="no class 'Skirt'"):
        fc.evaluate(run).classes["Skirt"]


def test_the_average_of_weights_follows_training_and_leaves_it_alone(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    """Against an average made from the outside, of the weights after every step."""
    plain = fc.train(tiny_recipe, out=tmp_path / "plain", device="cpu")
    averaged = fc.train(
        tiny_recipe, changes={"averaging.ema_decay": 0.9}, out=tmp_path / "averaged", device="cpu"
    )
    mine, theirs = (checkpoints.load(run.checkpoints, "last").tensors for run in (averaged, plain))
    for name, value in theirs.items():
        if name.startswith("model/"):
            assert torch.equal(mine[name], value), name
    recipe = fc.load_recipe(tiny_recipe)
    splits = build_splits(recipe, make_pictures(600, 0))
    processes = Processes(fabric_for("cpu", "fp32"))
    state = build_state(recipe, 10, 0, torch.device("cpu"))
    seen: list[dict[str, torch.Tensor]] = []

    def after_step(state: Any) -> bool:
        seen.append({name: one.detach().clone() for name, one in state.network.named_parameters()})
        return False

    training = build_training(recipe, splits, 0, processes)
    for _ in dataclasses.replace(training, after_step=after_step).run(state):
        pass
    expected = seen[0]
    for weights in seen[1:]:
        expected = {name: 0.9 * old + 0.1 * weights[name] for name, old in expected.items()}
    for name, value in expected.items():
        torch.testing.assert_close(mine[f"average/{name}"], value, rtol=1e-4, atol=1e-6)
        assert not torch.equal(mine[f"average/{name}"], mine[f"model/{name}"])


def test_runs_of_one_second_are_numbered(tmp_path: Path) -> None:
    names: list[str] = []
    for _ in range(3):
        path = new_path(tmp_path, "tiny", seed=4)
        path.mkdir(parents=True)
        second = path.name.partition("-")[0]
        earlier = sum(name.startswith(second) for name in names)
        assert path.name == (f"{second}-{earlier + 1}-s4" if earlier else f"{second}-s4")
        names.append(path.name)
    # Three seconds do not pass meanwhile.
    assert any(name.endswith("-2-s4") for name in names)


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make"):
        create(tmp_path / "runs" / "mine", {"code/deeper/mine.py": ""})
    assert list((tmp_path / "runs").iterdir()) == []
    run = create(tmp_path / "runs" / "mine", {"code/mine.py": ""})
    with pytest.raises(RunError, match="exists already"):
        create(run.path, {})
    assert list((tmp_path / "runs").iterdir()) == [run.path]


def test_runs_that_begin_in_one_moment_are_two(
    tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process makes a run of the name that this one has just chosen."""
    taken: list[Path] = []

    def chosen(out: Path, name: str, seed: int) -> Path:
        path = new_path(out, name, seed)
        if not taken:
            taken.append(create(path, {}).path)
        return path

    monkeypatch.setattr("fashioncnn.sessions.session.new_path", chosen)
    run = fc.train(tiny_recipe, changes=["training.epochs=1"], out=tmp_path, device="cpu")
    assert run.path not in taken


def test_a_class_may_have_no_validation_pictures(tiny_recipe: Path, tmp_path: Path) -> None:
    some = make_pictures(60, seed=1)
    without = some.take(np.flatnonzero(some.labels != 3))
    data = DataSet.of(make_pictures(300), test=some, validation=without)
    run = fc.train(
        tiny_recipe, changes={"training.epochs": 1}, data=data, out=tmp_path, device="cpu"
    )
    assert run.metrics[-1]["val/accuracy_by_class"][3] == 0


def test_of_figures_that_are_not_drawn_there_are_none(run: fc.Run) -> None:
    with pytest.raises(KeyError, match="no figure 'confusion_matrix'; there are none"):
        _ = run.figures["confusion_matrix"]


def test_trainings_do_not_import_the_compiler(tiny_npz: Path, tmp_path: Path) -> None:
    # It takes a second, a third of what there is before the first step.
    code = f"""
import sys
import fashioncnn as fc
brief = {{"training.epochs": 1, "selection.full_epochs": 1, "model.channels": [8, 8],
          "schedule.warmup_epochs": 0.1}}
for name in ("muon", "adam", "adamw", "sgd"):
    changes = brief | {{"optimizer.name": name}}
    fc.train("fast-92", changes=changes, data={str(tiny_npz)!r}, out={str(tmp_path)!r})
assert "torch._dynamo" not in sys.modules
import torch._dynamo
assert issubclass(torch._dynamo.OptimizedModule, torch.nn.Module)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
