"""Options that several verbs share, and how every verb answers."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fashioncnn.tracking.trackers import TrackerName
    from fashioncnn.workflows.ray_cluster import Cluster


class Device(enum.StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(enum.StrEnum):
    """Arithmetic of training."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class Split(enum.StrEnum):
    """Which pictures to score on."""

    TEST = "test"
    VALIDATION = "validation"


class Views(enum.StrEnum):
    """Ways in which every picture is seen."""

    PLAIN = "plain"
    FLIP = "flip"
    FLIP_SHIFT = "flip-shift"


class Checkpoint(enum.StrEnum):
    """Which weights of a run."""

    BEST = "best"
    LAST = "last"


class Tracker(enum.StrEnum):
    """Who gets a copy of a run."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


class Executor(enum.StrEnum):
    """Where trainings run."""

    LOCAL = "local"
    RAY = "ray"


Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Run directories, or folders of runs.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Fashion-MNIST's folder, if not found by itself."),
]
LogOption = Annotated[
    list[Tracker] | None,
    typer.Option("--log", help="Copy to this tracker, too; repeatable."),
]
ExecutorOption = Annotated[
    Executor, typer.Option("--executor", help="On this machine, or as tasks on a Ray cluster.")
]
AddressOption = Annotated[
    str, typer.Option("--address", metavar="ADDRESS", help="Of the Ray cluster; auto: this node's.")
]
CpusOption = Annotated[float, typer.Option("--cpus", min=0.01, help="On the cluster, a training.")]
GpusOption = Annotated[float, typer.Option("--gpus", min=0.0, help="On the cluster, a training.")]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where to compute.")]
CheckpointOption = Annotated[
    Checkpoint, typer.Option("--checkpoint", help="Best by validation, or last.")
]


def cluster(executor: Executor, address: str, cpus: float, gpus: float) -> Cluster | None:
    """Return the cluster to work on, if any. Raises BadParameter when it is asked for by half."""
    if executor is Executor.LOCAL:
        if (address, cpus, gpus) != ("auto", 1.0, 0.0):
            raise typer.BadParameter("--address, --cpus and --gpus are for --executor ray")
        return None
    from fashioncnn.workflows.ray_cluster import Cluster

    return Cluster(address, cpus, gpus)


def names(log: Sequence[Tracker] | None) -> list[TrackerName]:
    """Return the trackers as workflows want them."""
    return [one.value for one in log or ()]


def answer(as_json: bool, values: dict[str, Any], text: str) -> None:
    """Print `values` for programs or `text` for people."""
    typer.echo(json.dumps(values, ensure_ascii=False, allow_nan=False) if as_json else text)
