"""The ONNX functions that PyTorch's exporter writes networks with, read once a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any


@contextmanager
def read_once() -> Iterator[None]:
    """Let the exporter go on with the functions that it read for an earlier file.

    It parses the source of 500 of them for each file, in half of the time that a file takes, and
    has no option for that. Where a version of PyTorch does it in another way, nothing changes.
    """
    try:
        from torch.onnx._internal.exporter import _registration

        registry: Any = _registration.ONNXRegistry
        own = vars(registry)["from_torchlib"]
    except (ImportError, AttributeError, KeyError):
        yield
        return
    registry.from_torchlib = staticmethod(partial(_kept, registry.from_torchlib))
    try:
        yield
    finally:
        registry.from_torchlib = own


@cache
def _kept(read: Callable[..., Any], *asked: Any, **named: Any) -> Any:
    return read(*asked, **named)
