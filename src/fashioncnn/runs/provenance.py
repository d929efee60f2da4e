"""Where a run comes from: data, split, versions, machine, command."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from fashioncnn.data.images import LARGEST_SIDE, SMALLEST_SIDE, Shape
from fashioncnn.data.sources.base import MAX_CLASSES
from fashioncnn.data.sources.fashion_mnist import CLASSES, NAME, SHAPE, FashionMNIST
from fashioncnn.errors import RunError
from fashioncnn.runs.files import read_json

PACKAGES = ("fashioncnn", "torch", "lightning-fabric", "numpy", "safetensors")


class _Split(TypedDict):
    seed: int
    validation_images: Annotated[int, Field(ge=0)]
    sha256: str


class _DataSet(TypedDict):
    name: str
    kind: str
    place: str
    class_names: Annotated[list[str], Field(min_length=2, max_length=MAX_CLASSES)]
    channels: Literal[1, 3]
    height: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]
    width: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]
    train_images: Annotated[int, Field(ge=0)]
    train_sha256: str
    test_made_by_seed: int | None


class _Provenance(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]
    seed: Annotated[int, Field(ge=0)]
    started: str
    command: str
    data: dict[str, str]
    # Runs of version 0.2 and before have none: they are of Fashion-MNIST.
    data_set: NotRequired[_DataSet]
    code_folder: NotRequired[str]
    split: _Split
    hardware: str
    precision: str
    threads: int
    platform: str
    versions: dict[str, str]


@dataclass(frozen=True)
class TrainedOn:
    """The pictures that a run's network knows; `sha256` is of those that it was trained on."""

    name: str = NAME
    kind: str = FashionMNIST.kind
    place: Path | None = None
    class_names: tuple[str, ...] = CLASSES
    shape: Shape = SHAPE
    sha256: str | None = None


_PROVENANCE = TypeAdapter(_Provenance)


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what provenance.json says. Raises RunError when it is missing or damaged."""
    content = read_json(path)
    try:
        _PROVENANCE.validate_python(content)
    except ValidationError:
        raise RunError(f"{path}: not the provenance of a run") from None
    return dict(content)


def trained_on(content: dict[str, Any]) -> TrainedOn:
    """Return what provenance says of the pictures."""
    told = content.get("data_set")
    if told is None:
        return TrainedOn()
    return TrainedOn(
        told["name"],
        told["kind"],
        Path(told["place"]),
        tuple(told["class_names"]),
        Shape(told["channels"], told["height"], told["width"]),
        told["train_sha256"],
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def command() -> str:
    """Return the command line of this process, as one would type it."""
    program = Path(sys.argv[0]).name
    words = ["python", "-m", "fashioncnn"] if program == "__main__.py" else [program]
    if "TORCHELASTIC_RUN_ID" in os.environ:
        here, nodes = os.environ["LOCAL_WORLD_SIZE"], os.environ.get("GROUP_WORLD_SIZE", "1")
        words = ["torchrun", "--nnodes", nodes, "--nproc-per-node", here, "-m", "fashioncnn"]
    return shlex.join([*words, *sys.argv[1:]])


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance(
    *,
    seed: int,
    data: dict[str, str],
    data_set: dict[str, Any],
    split: dict[str, Any],
    hardware: str,
    precision: str,
    threads: int,
    code_folder: Path | None = None,
) -> dict[str, Any]:
    """Return what provenance.json holds; `code_folder` is where the user's own files came from."""
    return {
        "seed": seed,
        "started": now(),
        "command": command(),
        "data": data,
        "data_set": data_set,
        **({"code_folder": str(code_folder)} if code_folder else {}),
        "split": split,
        "hardware": hardware,
        "precision": precision,
        "threads": threads,
        "platform": platform.platform(),
        "versions": versions(),
    }
