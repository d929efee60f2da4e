"""Named arrays as a compressed .npz, and what they have to be."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn import npz
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predictions import LARGEST
from fashioncnn.npz import Arrays
from fashioncnn.runs.files import write_bytes

# Logits of 1,000 classes for 80,000 pictures.
MAX_BYTES = 320 << 20
Axis = int | str | tuple[int, ...]


@dataclass(frozen=True)
class Spec:
    """What an array has to be: the kind of its elements, its axes, its bounds.

    `kind` is numpy's: "f" (at most 1e15, and numbers), "i", "u", "U", "b". An axis is a length, or
    several that it may have, or a letter that stands for the same length in every array of the
    file, or "." for any length but 0, or "…" for any number of such axes. With `below`, elements
    are indices: at least 0, and below that letter's length. With `share`, they lie in 0 to 1.
    """

    kind: str
    axes: tuple[Axis, ...] = ()
    below: str = ""
    share: bool = False


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put named arrays at `path`; a crash leaves the old file or the new one, never a part."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read(path: Path) -> Arrays:
    """Read named arrays. Raises RunError when the file is missing, damaged or too large."""
    return npz.read(path, MAX_BYTES, RunError)


def fault(arrays: Arrays, specs: Mapping[str, Spec]) -> str | None:
    """Say what of `arrays` is not as `specs` have it, or None.

    A name of `specs` that ends in "*" is of any number of arrays, also none; all others are needed.
    """
    lengths: dict[str, int] = {}
    for name, spec in specs.items():
        if name.endswith("*"):
            found = [one for one in arrays if one.startswith(name[:-1])]
        elif name not in arrays:
            return f"without {name}"
        else:
            found = [name]
        for one in found:
            if not _fits(arrays[one], spec, lengths):
                return f"{one} is {arrays[one].dtype} {arrays[one].shape}, or out of bounds"
    for name, spec in specs.items():
        for one in [name] if name in arrays else []:
            values = arrays[one]
            if spec.below and values.size and int(values.max()) >= lengths.get(spec.below, 0):
                return f"{one} is out of bounds"
    return None


def _fits(values: NDArray[Any], spec: Spec, lengths: dict[str, int]) -> bool:
    if values.dtype.kind != spec.kind:
        return False
    # Written so that what is no number fails, too.
    if spec.kind == "f" and not bool((np.abs(values) <= LARGEST).all()):
        return False
    if spec.share and not bool(((values >= 0) & (values <= 1)).all()):
        return False
    if spec.below and values.size and int(values.min()) < 0:
        return False
    if spec.axes[-1:] == ("…",):
        if 0 in values.shape[len(spec.axes) - 1 :]:
            return False
        axes, shape = spec.axes[:-1], values.shape[: len(spec.axes) - 1]
    else:
        axes, shape = spec.axes, values.shape
    if len(axes) != len(shape):
        return False
    return all(_allows(axis, length, lengths) for axis, length in zip(axes, shape, strict=True))


def _allows(axis: Axis, length: int, lengths: dict[str, int]) -> bool:
    if axis == ".":
        return length > 0
    if isinstance(axis, str):
        return lengths.setdefault(axis, length) == length
    return length in (axis if isinstance(axis, tuple) else (axis,))
