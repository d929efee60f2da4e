"""The layers that tell what a network makes of a picture, a few of the many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch import nn

from fashioncnn.models.parts import parts_of


def stages(network: nn.Module, maps: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return the names of the layers whose answers the next weights are given, the last left out.

    After each convolution or dense layer that is its normalised, activated, pooled answer: the last
    of its maps (n, channels, h, w), and the last of its features (n, features), where `maps` has
    such. The class scores are not among them.
    """
    ends: list[dict[int, str]] = []
    for name, module in parts_of(network).shown.items():
        if isinstance(module, nn.Conv2d | nn.Linear):
            ends.append({})
        if ends and name in maps:
            ends[-1][maps[name].ndim] = name
    return [name for end in ends[:-1] for name in end.values()]
