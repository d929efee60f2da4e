"""The weights that predicted after a few epochs, kept so that learning can be shown."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from torch import Tensor

from fashioncnn.errors import RunError
from fashioncnn.runs.checkpoints import pack, unpack
from fashioncnn.runs.files import make_folder, write_bytes

MAX_BYTES = 1 << 30


def wanted(epochs: int) -> list[int]:
    """Return after which of `epochs` to keep one: 0, 1, 2, 5, 10, 20, 50, … below the last."""
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    chosen = [0]
    while (step := next(steps)) < epochs:
        chosen.append(step)
    return chosen


def save(folder: Path, epoch: int, weights: Mapping[str, Tensor]) -> None:
    """Keep `weights` as those after `epoch` epochs. Raises StorageError."""
    packed = pack(weights)
    write_bytes(make_folder(folder) / _file_name(epoch), packed)


def load(folder: Path, epochs: int) -> dict[int, dict[str, Tensor]]:
    """Return the weights by epoch, oldest first; what is missing or damaged is left out."""
    found = {}
    for epoch in wanted(epochs):
        path = folder / _file_name(epoch)
        with contextlib.suppress(OSError, RunError):
            if path.stat().st_size <= MAX_BYTES:
                found[epoch] = unpack(path, path.read_bytes())
    return found


def _file_name(epoch: int) -> str:
    return f"epoch-{epoch:04}.safetensors"
