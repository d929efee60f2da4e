"""What machine and which versions a result was measured with."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from fashioncnn.runs.provenance import versions
from fashioncnn.training.device import hardware, has_bf16

ROOT = Path(__file__).resolve().parent.parent


def machine() -> dict[str, Any]:
    """Return the machine's facts."""
    return {
        "hardware": hardware(torch.device("cpu")),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "bf16": has_bf16("cpu"),
        "system": platform.platform(),
    }


def provenance() -> dict[str, Any]:
    """Return machine, versions and the commit that is checked out."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    return {"machine": machine(), "versions": versions(), "commit": commit}
