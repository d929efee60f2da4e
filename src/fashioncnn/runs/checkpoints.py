"""Checkpoints: tensors as safetensors, the rest as JSON, each proved by a SHA-256.

`last.json` and `best.json` name the tensor file that they stand for and its digest. The tensor
file is complete on disk before a JSON file names it, so a kill at any moment leaves a checkpoint
that loads. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs.files import read_json, to_json, write_bytes

MAX_TENSOR_BYTES = 4 << 30
NAMES = ("last", "best")
TENSOR_FILE = re.compile(r"epoch-\d{4,}-step-\d{6,}\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: named tensors and JSON values; `sha256` is of the tensor file."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]
    sha256: str


def save(
    folder: Path,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    names: Sequence[str] = ("last",),
) -> None:
    """Save under `names`; `values` must hold "epoch" and "step". Raises StorageError.

    Tensor files that no name stands for any more are deleted afterwards.
    """
    packed = safetensors.torch.save({name: value.contiguous() for name, value in tensors.items()})
    file_name = f"epoch-{values['epoch']:04}-step-{values['step']:06}.safetensors"
    write_bytes(folder / file_name, packed)
    facts = {
        "tensors": file_name,
        "tensors_sha256": hashlib.sha256(packed).hexdigest(),
        "values": dict(values),
    }
    # Best before last: a kill between them leaves a last that is trained again.
    for name in sorted(names):
        write_bytes(folder / f"{name}.json", to_json({**facts, "sha256": _digest(facts)}).encode())
    _clean(folder)


def exists(folder: Path, name: str = "last") -> bool:
    """Say whether a checkpoint of this name was saved."""
    return (folder / f"{name}.json").exists()


def load(folder: Path, name: str) -> Checkpoint:
    """Load one checkpoint. Raises RunError when it is missing or not what was saved."""
    facts = _facts(folder, name)
    path = folder / facts["tensors"]
    try:
        if path.stat().st_size > MAX_TENSOR_BYTES:
            raise RunError(f"{path}: larger than {MAX_TENSOR_BYTES:,} bytes")
        packed = path.read_bytes()
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None
    if hashlib.sha256(packed).hexdigest() != facts["tensors_sha256"]:
        raise RunError(f"{path}: damaged (its SHA-256 is not the one recorded)")
    return Checkpoint(safetensors.torch.load(packed), facts["values"], facts["tensors_sha256"])


def digests(folder: Path) -> set[str]:
    """Return the SHA-256 of the tensor files that the names stand for, of those that are whole."""
    found = set()
    for name in NAMES:
        with contextlib.suppress(RunError):
            found.add(str(_facts(folder, name)["tensors_sha256"]))
    return found


def load_newest(folder: Path) -> tuple[Checkpoint, list[str]]:
    """Load the newest checkpoint that is whole, and say what was wrong with newer ones.

    Raises RunError when none is.
    """
    faults: list[str] = []
    for name in NAMES:
        try:
            return load(folder, name), faults
        except RunError as error:
            faults.append(str(error))
    raise RunError("; ".join(faults))


def _facts(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.json"
    facts = read_json(path)
    whole = isinstance(facts, dict) and facts.pop("sha256", None) == _digest(facts)
    if not whole or not TENSOR_FILE.fullmatch(facts["tensors"]):
        raise RunError(f"{path}: damaged (its SHA-256 is not the one recorded)")
    return dict(facts)


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _clean(folder: Path) -> None:
    kept = set()
    for name in NAMES:
        if exists(folder, name):
            try:
                kept.add(_facts(folder, name)["tensors"])
            except RunError:
                return
    for path in folder.iterdir():
        stray = path.suffix == ".tmp" or (
            TENSOR_FILE.fullmatch(path.name) and path.name not in kept
        )
        if stray:
            with contextlib.suppress(OSError):
                path.unlink()
