"""The filters of every convolution layer."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from torch import nn

from fashioncnn.explanation.layers import visible_layers


def convolution_filters(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return float32 (output channels, input channels, height, width) by layer."""
    return {
        name: module.weight.detach().float().cpu().contiguous().numpy()
        for name, module in visible_layers(network)
        if isinstance(module, nn.Conv2d)
    }
