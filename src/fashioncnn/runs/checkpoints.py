"""Checkpoints: tensors as safetensors, the rest as JSON, each proved by a SHA-256.

`last.json` and `best.json` name the tensor file that they stand for and its digest. The tensor
file is complete on disk before a JSON file names it, so a kill at any moment leaves a checkpoint
that loads. Nothing is ever unpickled. Digests tell damage, not malice: whoever can write the files
can make digests, so that what they hold is checked, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired

import safetensors.torch
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor
from typing_extensions import TypedDict

from fashioncnn.errors import RunError, StorageError, printable, reason
from fashioncnn.runs.files import read_json, to_json, write_bytes

MAX_TENSOR_BYTES = 4 << 30
NAMES = ("last", "best")
TENSOR_FILE = re.compile(r"epoch-\d{4,}-step-\d{6,}\.safetensors")

_Whole = Annotated[int, Field(ge=0, lt=2**53)]
_Seconds = Annotated[float, Field(ge=0)]


class _Values(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True)  # type: ignore[misc]
    epoch: _Whole
    step: _Whole
    seconds: NotRequired[_Seconds]
    first_step_seconds: NotRequired[_Seconds]
    average_started: NotRequired[bool]


_VALUES = TypeAdapter(_Values)


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: named tensors and JSON values; `sha256` is of the tensor file."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]
    sha256: str


@dataclass(frozen=True)
class Described:
    """What the JSON file of a checkpoint says: its tensor file, and where training stood."""

    tensor_file: str
    tensors_sha256: str
    values: dict[str, Any]

    @property
    def epoch(self) -> int:
        """How many epochs were finished."""
        return int(self.values["epoch"])


def save(
    folder: Path,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    names: Sequence[str] = ("last",),
) -> None:
    """Save under `names`; `values` must hold "epoch" and "step". Raises StorageError.

    Tensor files that no name stands for any more are deleted afterwards.
    """
    packed = pack(tensors)
    file_name = f"epoch-{values['epoch']:04}-step-{values['step']:06}.safetensors"
    write_bytes(folder / file_name, packed)
    facts = {
        "tensors": file_name,
        "tensors_sha256": hashlib.sha256(packed).hexdigest(),
        "values": dict(values),
    }
    # Best before last: a kill between them leaves a last that is trained again.
    for name in sorted(names):
        write_bytes(folder / f"{name}.json", to_json({**facts, "sha256": digest(facts)}).encode())
    _clean(folder)


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors as safetensors; weights that share memory are there under each name."""
    whole: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, value in tensors.items():
        shared = value.untyped_storage().data_ptr() in seen
        whole[name] = value.contiguous().clone() if shared else value.contiguous()
        seen.add(value.untyped_storage().data_ptr())
    return bytes(safetensors.torch.save(whole))


def exists(folder: Path, name: str = "last") -> bool:
    """Say whether a checkpoint of this name was saved."""
    return (folder / f"{name}.json").exists()


def load(folder: Path, name: str) -> Checkpoint:
    """Load one checkpoint. Raises RunError when it is missing or not what was saved."""
    told = describe(folder, name)
    path = folder / told.tensor_file
    packed = _read(path)
    if hashlib.sha256(packed).hexdigest() != told.tensors_sha256:
        raise RunError(f"{path}: damaged (its SHA-256 is not the one recorded)")
    return Checkpoint(unpack(path, packed), told.values, told.tensors_sha256)


def unpack(path: Path, packed: bytes) -> dict[str, Tensor]:
    """Return the tensors in `packed`, what `path` holds. RunError unless all are sound numbers.

    The losses of pictures that were not seen yet are infinite, and a buffer of a user's own network
    may be, as a mask of attention; nothing else.
    """
    try:
        tensors = safetensors.torch.load(packed)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise RunError(f"{path}: damaged ({reason(error, most=80)})") from None
    for name, tensor in tensors.items():
        may_be_infinite = name.startswith(("losses/", "model/", "average/"))
        sound = tensor.isnan().logical_not() if may_be_infinite else tensor.isfinite()
        if not bool(sound.all()):
            raise RunError(f"{path}: damaged ({printable(name[:60])} holds what is no number)")
    return tensors


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_TENSOR_BYTES:
            raise RunError(f"{path}: larger than {MAX_TENSOR_BYTES:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None


def digests(folder: Path) -> set[str]:
    """Return the SHA-256 of the tensor files that the names stand for, of those that are whole."""
    found = set()
    for name in NAMES:
        with contextlib.suppress(RunError):
            found.add(describe(folder, name).tensors_sha256)
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


def describe(folder: Path, name: str) -> Described:
    """Return what the checkpoint's JSON file says. RunError when it is missing or damaged."""
    path = folder / f"{name}.json"
    facts = read_json(path)
    if not isinstance(facts, dict) or facts.pop("sha256", None) != digest(facts):
        raise RunError(f"{path}: damaged (its SHA-256 is not the one recorded)")
    try:
        file_name, sha256, values = facts["tensors"], facts["tensors_sha256"], facts["values"]
        _VALUES.validate_python(values)
        whole = TENSOR_FILE.fullmatch(file_name) and re.fullmatch(r"[0-9a-f]{64}", sha256)
    except (KeyError, TypeError, ValidationError):
        whole = None
    if not whole:
        raise RunError(f"{path}: damaged (it is not what a checkpoint says)")
    return Described(file_name, sha256, values)


def digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of `facts`, that of their own left out."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _clean(folder: Path) -> None:
    kept = set()
    for name in NAMES:
        if exists(folder, name):
            try:
                kept.add(describe(folder, name).tensor_file)
            except RunError:
                return
    for path in folder.iterdir():
        stray = path.suffix == ".tmp" or (
            TENSOR_FILE.fullmatch(path.name) and path.name not in kept
        )
        if stray:
            with contextlib.suppress(OSError):
                path.unlink()
