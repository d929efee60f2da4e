"""The layers of a network that can be shown, by the names that people read."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from fashioncnn.models.ensemble import members_of
from fashioncnn.models.plain_cnn import FlattenChannelsLast

# They change nothing that could be seen: one reshapes, the other is off when predicting.
UNSEEN = (FlattenChannelsLast, nn.Dropout)


def visible_layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield (name, module) for every layer without parts of its own, first to last.

    Of an ensemble, its first member's.
    """
    for name, module in members_of(network)[0].named_modules():
        if not any(module.children()) and not isinstance(module, UNSEEN):
            yield name.removeprefix("layers."), module
