"""Where a run comes from: data, split, versions, machine, command."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("fashioncnn", "torch", "lightning-fabric", "numpy", "safetensors")


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
