"""Letting the first stages of a network rest while the later ones go on learning.

Brock, Lim, Ritchie, Weston, "FreezeOut: accelerate training by progressively freezing layers",
arXiv 1706.04983: what lies near the picture is learned first, and costs most.
"""

from __future__ import annotations

import copy
from typing import Protocol, runtime_checkable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fashioncnn.models.ensemble import members_of


@runtime_checkable
class Freezable(Protocol):
    """A network whose first stages can rest."""

    def freeze(self, stages: int) -> None:
        """From now on, train with the first `stages` stages as they are in evaluation."""


def freeze(network: nn.Module, stages: int) -> None:
    """Let the first `stages` stages of the network, or of each member, learn no more.

    Raises TypeError for a network that has no such stages.
    """
    for member in members_of(network):
        if not isinstance(member, Freezable):
            raise TypeError(f"{type(member).__name__} has no stages that can rest")
        member.freeze(stages)


def at_rest(layers: nn.Module) -> nn.Module:
    """Stop `layers` from learning; return them as they are in evaluation, for training with them.

    What is returned has each batch normalisation as part of the convolution before it.
    """
    layers.eval()
    for weight in layers.parameters():
        weight.requires_grad_(False)
        weight.grad = None
    return _folded(layers)


def _folded(module: nn.Module) -> nn.Module:
    folded = copy.copy(module)
    folded._modules = {}
    convolution: tuple[str, nn.Conv2d] | None = None
    for name, child in module.named_children():
        folded._modules[name] = _folded(child)
        if isinstance(child, _BatchNorm) and convolution:
            folded._modules[convolution[0]] = fuse_conv_bn_eval(convolution[1], child)
            folded._modules[name] = nn.Identity()
        convolution = (name, child) if isinstance(child, nn.Conv2d) else None
    return folded
