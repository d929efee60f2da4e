"""What a network tells of itself: where pictures enter, where scores leave, what can be shown."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from torch import nn

from fashioncnn.errors import CodeError
from fashioncnn.models.ensemble import members_of

# They change nothing that could be seen: they reshape, or are off when predicting.
UNSEEN = (nn.Flatten, nn.Dropout, nn.Identity)
WEIGHTED = (nn.Conv2d, nn.Linear)
# What torch.nn.utils.parametrize calls the part of a layer that computes its weights.
PARAMETRIZED = "parametrizations"


@dataclass(frozen=True)
class Parts:
    """The parts of one network.

    `stem` is the layer that is given the picture, `head` the one that gives the class scores;
    `shown` are the layers worth showing, first to last, by the names that people read.
    """

    stem: nn.Module
    head: nn.Module
    shown: Mapping[str, nn.Module]


def parts_of(network: nn.Module) -> Parts:
    """Return the network's parts: as its method `parts` says, else a guess.

    Of an ensemble, its first member's. The guess takes the layers without parts of their own in
    the order in which they were made; the first with weights is the stem, the last the head.
    Raises CodeError for a network without a convolution or dense layer.
    """
    network = members_of(network)[0]
    if callable(tell := getattr(network, "parts", None)):
        told = tell()
        assert isinstance(told, Parts)
        return told
    leaves = {
        name: module
        for name, module in network.named_modules()
        if not isinstance(module, UNSEEN)
        and PARAMETRIZED not in name.split(".")
        # A layer stays one where its weights are computed, as for weight norm.
        and all(part == PARAMETRIZED for part, _ in module.named_children())
    }
    weighted = [module for module in leaves.values() if isinstance(module, WEIGHTED)]
    if not weighted:
        raise CodeError(
            f"{type(network).__name__} has no nn.Conv2d and no nn.Linear: say by a method "
            "parts() where pictures enter and scores leave (docs/how-to/own-parts.md)"
        )
    prefix = _common_prefix(list(leaves))
    shown = {name.removeprefix(prefix): module for name, module in leaves.items()}
    return Parts(weighted[0], weighted[-1], shown)


def check_used(head: nn.Module, given: Container[nn.Module]) -> None:
    """Raise CodeError where the layer taken for the last one was not among those `given` any."""
    if head not in given:
        raise CodeError(
            f"{head}, made last, is not used: say by a method parts() which layer gives the scores "
            "(docs/how-to/own-parts.md)"
        )


def hidden_convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """Return the convolutions between feature maps, of every member: all but the stems."""
    stems = {parts_of(member).stem for member in members_of(network)}
    return [
        module
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module not in stems
    ]


def keep_inputs(network: nn.Module) -> None:
    """Let no layer overwrite its input, for gradients and hooks that need it."""
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]


def _common_prefix(names: list[str]) -> str:
    """Return "layers." where every name begins so: people need not read it each time."""
    first = names[0].partition(".")[0] + "."
    return first if all(name.startswith(first) for name in names) else ""
