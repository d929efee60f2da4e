"""The operations of a forward pass, and the user's line that each came from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fashioncnn.usercode.faults import PREFIX

RANDOM = ("bernoulli", "dropout", "rand", "normal", "uniform", "multinomial")


@dataclass(frozen=True)
class Step:
    """One operation: its name in torch, its line, what it did."""

    operation: str
    line: str | None
    finite: bool
    changed_input: bool

    @property
    def random(self) -> bool:
        """Whether it draws random numbers."""
        return any(word in self.operation for word in RANDOM)


def at(step: Step | None) -> str:
    """Say in which line a step is taken, if one can tell."""
    return f" at {step.line}" if step and step.line else ""


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, images: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.images = images
        self.steps: list[Step] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        del types
        result = func(*args, **(kwargs or {}))
        tensors = result if isinstance(result, Sequence) else (result,)
        finite = all(
            bool(one.isfinite().all())
            for one in tensors
            if isinstance(one, Tensor) and one.is_floating_point()
        )
        changed = func._schema.is_mutable and any(
            one.untyped_storage().data_ptr() == self.images.untyped_storage().data_ptr()
            for one in args[:1]
            if isinstance(one, Tensor)
        )
        self.steps.append(Step(str(func), _line(), finite, changed))
        return result


def steps_of(network: nn.Module, images_NCHW: Tensor) -> list[Step]:
    """Return the operations of one forward pass, in order."""
    recorder = _Recorder(images_NCHW)
    with torch.no_grad(), recorder:
        network(images_NCHW)
    return recorder.steps


def _line() -> str | None:
    """Name the innermost line of the user's own that is being run."""
    frame: Any = sys._getframe(1)
    while frame:
        if str(frame.f_globals.get("__name__", "")).startswith(PREFIX):
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back
    return None
