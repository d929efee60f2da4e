"""Copies of runs in TensorBoard and MLflow, read back by their own clients."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import fashioncnn as fc
from conftest import Cli
from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.errors import Stopped, TrackingError
from fashioncnn.runs.directory import Run, runs_below
from fashioncnn.tracking import trackers
from fashioncnn.tracking.tracker import scalars
from fashioncnn.tracking.trackers import TrackerName, copy_run

# These import much, and warn of each other.
pytestmark = pytest.mark.filterwarnings("ignore")


def stopped_and_resumed(recipe: Path, out: Path, log: TrackerName) -> Run:
    """Train for an epoch, and go on to the end."""
    with pytest.raises(Stopped):
        fc.train(recipe, out=out, device="cpu", track=[log], after_epoch=lambda record: True)
    return fc.train(recipe, out=out, device="cpu", track=[log], resume=True)


@pytest.mark.usefixtures("tiny_data")
def test_tensorboard_has_scalars_figures_and_recipe(tiny_recipe: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = stopped_and_resumed(tiny_recipe, tmp_path / "runs", "tensorboard")
    fc.evaluate(run, device="cpu")
    run.figures_folder.mkdir()
    for name in ("filters_conv1", "learning"):
        Image.new("RGB", (30, 20), "red").save(run.figures_folder / f"{name}.png")
    copy_run(["tensorboard"], run, print)
    read = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"images": 0})
    read.Reload()
    for tag, wanted in by_tag(run).items():
        events = read.Scalars(tag)
        assert [event.step for event in events] == [1, 2, 3], tag
        assert [event.value for event in events] == pytest.approx(wanted), tag
    assert read.Scalars("test/f1/Shirt")[0].value == pytest.approx(f1_scores(run)["Shirt"])
    assert read.Tags()["images"] == ["figures/filters_conv1", "figures/learning"]
    assert read.Images("figures/learning")[0].width == 30
    (told,) = read.Tensors("recipe.toml/text_summary")
    assert b'name = "tiny"' in told.tensor_proto.string_val[0]


@pytest.mark.usefixtures("tiny_data")
def test_event_files_on_a_full_disk_stop_no_training(
    tiny_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    def refuse(*words: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", refuse)
    run = fc.train(tiny_recipe, out=tmp_path, device="cpu", track=["tensorboard"])
    assert len(run.metrics) == 3
    assert capfd.readouterr().err.count("cannot write: No space left on device; the run") == 1


def by_tag(run: Run) -> dict[str, list[float]]:
    """Return what metrics.jsonl holds of three epochs, by tag."""
    found: dict[str, list[float]] = {}
    for record in run.metrics:
        for tag, value in scalars(record, CLASSES).items():
            found.setdefault(tag, []).append(value)
    assert len(found["val/accuracy/Shirt"]) == len(found["train/loss"]) == 3
    return found


def f1_scores(run: Run) -> dict[str, float]:
    return {one.name: one.f1 for one in fc.evaluate(run, device="cpu").classes}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an MLflow server with SQLite on this machine."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    words += ["--artifacts-destination", str(folder / "artefacts")]
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Processes for jobs that nobody asks for.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=log, stderr=log, env=environment, cwd=folder
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while not answers(f"{address}/health"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.mark.usefixtures("tiny_data")
def test_mlflow_has_a_whole_copy(
    server: str, tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    run = stopped_and_resumed(tiny_recipe, tmp_path / "runs", "mlflow")
    fc.report(run, device="cpu", track=["mlflow"])

    from mlflow import MlflowClient

    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("tiny")
    assert experiment
    (copy,) = client.search_runs([experiment.experiment_id])
    assert copy.info.status == "FINISHED"
    assert copy.info.run_name == f"tiny {run.path.name}"
    assert copy.data.params["optimizer.learning_rate"] == "0.005"
    assert copy.data.params["model.channels"] == "[4, 8]"
    assert copy.data.tags["fashioncnn.seed"] == "0"
    for tag, wanted in by_tag(run).items():
        points = client.get_metric_history(copy.info.run_id, tag)
        assert [point.step for point in points] == [1, 2, 3], tag
        assert [point.value for point in points] == wanted, tag
    assert copy.data.metrics["test/f1/Shirt"] == pytest.approx(f1_scores(run)["Shirt"])

    # Downloaded, the artefacts are a run again, figures and page with it.
    back = Path(client.download_artifacts(copy.info.run_id, "", str(tmp_path)))
    assert fc.evaluate(back, split="validation", device="cpu").accuracy == pytest.approx(
        fc.evaluate(run, split="validation", device="cpu").accuracy
    )
    assert (back / "report.html").read_bytes() == run.report_file.read_bytes()
    there = {path.name for path in (back / "figures").iterdir()}
    assert there == {path.name for path in run.figures_folder.glob("*.png")}


@pytest.mark.usefixtures("tiny_data")
def test_every_setting_of_a_study_is_copied(
    server: str, tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "a study")
    space = tiny_recipe.with_name("space.toml")
    space.write_text(
        'name = "mine"\nrecipe = "tiny.toml"\n[space]\noptimizer.name = ["adam", "sgd"]\n'
        "training.epochs = [1]\n"
    )
    fc.tune(space, out=tmp_path / "study", device="cpu", track=["mlflow"])

    from mlflow import MlflowClient

    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("a study")
    assert experiment
    copies = client.search_runs([experiment.experiment_id])
    assert {copy.data.params["optimizer.name"] for copy in copies} == {"adam", "sgd"}


@pytest.mark.usefixtures("tiny_data")
def test_a_tracker_that_fails_stops_no_training(
    server: str,
    tiny_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "failing")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    written = MlflowClient.log_batch

    def break_down(self: MlflowClient, run_id: str, **values: Any) -> None:
        if values.get("metrics") and values["metrics"][0].step == 2:
            raise MlflowException("the server is gone")
        written(self, run_id, **values)

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_batch", break_down)
        run = fc.train(tiny_recipe, out=tmp_path, device="cpu", track=["mlflow"])
    assert len(run.metrics) == 3
    told = capfd.readouterr().err
    assert told.count("the server is gone; the run itself is whole, and goes there later by") == 1

    copy_run(["mlflow"], run, print)
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("failing")
    assert experiment
    (copy,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(copy.info.run_id, "val/accuracy")
    assert [point.step for point in history] == [1, 2, 3]


def test_a_server_that_is_not_there_is_one_line(
    cli: Cli, tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    done = cli("train", tiny_recipe, "--track", "mlflow", "--out", tmp_path / "runs")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --track mlflow: http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1
    assert runs_below(tmp_path / "runs" / "tiny") == []


def test_a_tracker_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(TrackingError, match=r'pip install "fashioncnn\[tensorboard\]"'):
        fc.train("fast-92", track=["tensorboard"])
