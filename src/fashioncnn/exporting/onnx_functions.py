"""The ONNX functions that PyTorch's exporter writes networks with, read once a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any


@contextmanager
def read_once() -> Iterator[None]:
    """Let the exporter go on with the functions that it read for an earlier file.

    It parses the source of 500 of them for each file, which takes as long as to write a small
    network, and has no option for that. Where a version of PyTorch does it in another way, nothing
    changes.
    """
    own = None
    with suppress(ImportError, AttributeError):
        from torch.onnx._internal.exporter import _registration

        registry: Any = _registration.ONNXRegistry
        own = vars(registry).get("from_torchlib")
    if own is None:
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
