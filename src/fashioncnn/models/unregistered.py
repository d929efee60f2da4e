"""What a network holds without knowing it: it would neither learn nor be saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Unregistered:
    """Attribute `path`, a plain value of the type `kind`, holds `held`: a layer or a weight."""

    path: str
    kind: str
    held: object

    @property
    def fault(self) -> str:
        """What is wrong, without where."""
        if isinstance(self.held, nn.Module | nn.Parameter):
            what = "layers" if isinstance(self.held, nn.Module) else "weights"
            return f"a plain {self.kind} of {what}, which would neither learn nor be saved"
        return "a tensor with a gradient, and no nn.Parameter: it would neither learn nor be saved"

    @property
    def remedy(self) -> str:
        """What to write in its place."""
        if isinstance(self.held, nn.Module):
            return "make it an nn.ModuleList"
        if isinstance(self.held, nn.Parameter):
            return "make it an nn.ParameterList"
        return "make it an nn.Parameter"


def unregistered(network: nn.Module) -> Iterator[Unregistered]:
    """Yield the layers and weights that lie in attributes where PyTorch does not look for them.

    Layers of which nothing is to learn, as of a frozen teacher, may lie where they will.
    """
    known = {id(one) for one in network.modules()} | {id(one) for one in network.parameters()}
    usual = nn.Module().__dict__.keys()
    for path, module in network.named_modules():
        for name, value in vars(module).items():
            if name in usual:
                continue
            for one in _held(value):
                if isinstance(one, nn.Module):
                    learning = any(weight.requires_grad for weight in one.parameters())
                else:
                    learning = isinstance(one, Tensor) and one.is_leaf and one.requires_grad
                if learning and id(one) not in known:
                    yield Unregistered(
                        f"{path}.{name}" if path else name, type(value).__name__, one
                    )


def _held(value: object, depth: int = 4) -> Iterator[object]:
    """Yield what a value holds, inside of lists, tables and the like, too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset) and depth:
        for one in value:
            yield from _held(one, depth - 1)
    else:
        yield value
