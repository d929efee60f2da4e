"""Following a network for any number of pictures, and saying where that cannot be."""

from __future__ import annotations

import io
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from fashioncnn.data.images import Shape
from fashioncnn.errors import BundleError, CodeError
from fashioncnn.usercode.faults import in_words, told_by_lines

# Traced with two pictures: one would be taken for a size that never changes.
EXAMPLES = 2


def trace(shipped: nn.Module, shape: Shape) -> ExportedProgram:
    """Follow the network for any number of pictures. Raises BundleError where that cannot be."""
    example = torch.zeros((EXAMPLES, shape.height, shape.width, shape.channels), dtype=torch.uint8)
    with quiet(), _counting_batches(shipped):
        try:
            return torch.export.export(
                shipped, (example,), dynamic_shapes=({0: Dim("n", min=1)},), strict=False
            )
        except CodeError:
            raise
        except Exception as error:
            cause = error.__cause__ or error
            told = told_by_lines(cause) or told_by_lines(error) or in_words(cause)
            raise BundleError(
                f"the network cannot be followed: {told}; no branches on what a tensor holds, no "
                "numpy and no fixed number of pictures inside forward"
            ) from None


@contextmanager
def _counting_batches(network: nn.Module) -> Iterator[None]:
    """Let `len(images)` in a user's own network stay the number of pictures, whatever it is.

    Python's own `len` makes a whole number of it, which would then be fixed in the file.
    """
    namespaces = [
        vars(sys.modules[name])
        for name in {type(module).__module__ for module in network.modules()}
        if name in sys.modules and name.partition(".")[0] not in ("torch", "fashioncnn")
    ]
    changed = [names for names in namespaces if "len" not in names]
    for names in changed:
        names["len"] = _length
    try:
        yield
    finally:
        for names in changed:
            del names["len"]


def _length(thing: Any) -> Any:
    return thing.shape[0] if isinstance(thing, Tensor) and thing.dim() else len(thing)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's progress and remarks to itself."""
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def missing_operator(program: ExportedProgram, error: BaseException) -> str:
    """Say which operator ONNX lacks, and in which layer it stands."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        words.append(str(cause))
        cause = cause.__cause__
    if found := re.search(r"No ONNX function found for <OpOverload\(op='\w+.(\w+)'", words[-1]):
        for node in program.graph.nodes:
            # The exporter may have taken it apart: what is left has its name within.
            if node.op == "call_function" and found[1] in str(node.target):
                stack = node.meta.get("nn_module_stack") or {}
                layers = [path for path, _ in stack.values() if path]
                layer = layers[-1].removeprefix("network.") if layers else "the network"
                return f"ONNX has no operator for {found[1]}, in {layer}"
    return f"the network cannot be written as ONNX: {words[-1].strip()[:300]}"
