"""The filters of every convolution layer."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from torch import nn

from fashioncnn.models.parts import parts_of


def convolution_filters(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return float32 (output channels, input channels, height, width) by layer."""
    return {
        name: module.weight.detach().float().cpu().contiguous().numpy()
        for name, module in parts_of(network).shown.items()
        if isinstance(module, nn.Conv2d)
    }
