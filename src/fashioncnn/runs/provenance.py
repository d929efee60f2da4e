"""Where a run comes from: data, split, versions, machine, command."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from fashioncnn.errors import RunError
from fashioncnn.runs.files import read_json

PACKAGES = ("fashioncnn", "torch", "lightning-fabric", "numpy", "safetensors")


class _Split(TypedDict):
    seed: int
    validation_images: Annotated[int, Field(ge=0)]
    sha256: str


class _Provenance(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]
    seed: Annotated[int, Field(ge=0)]
    started: str
    command: str
    data: dict[str, str]
    split: _Split
    hardware: str
    precision: str
    threads: int
    platform: str
    versions: dict[str, str]


_PROVENANCE = TypeAdapter(_Provenance)


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what provenance.json says. Raises RunError when it is missing or damaged."""
    content = read_json(path)
    try:
        _PROVENANCE.validate_python(content)
    except ValidationError:
        raise RunError(f"{path}: not the provenance of a run") from None
    return dict(content)


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
    data: dict[str, Any],
    split: dict[str, Any],
    hardware: str,
    precision: str,
    threads: int,
) -> dict[str, Any]:
    """Return what provenance.json holds."""
    return {
        "seed": seed,
        "started": now(),
        "command": command(),
        "data": data,
        "split": split,
        "hardware": hardware,
        "precision": precision,
        "threads": threads,
        "platform": platform.platform(),
        "versions": versions(),
    }
