"""The network that is looked at, and pictures to try it on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from fashioncnn.checking.steps import Step, steps_of
from fashioncnn.recipes.build import build_network
from fashioncnn.recipes.schema import Recipe
from fashioncnn.usercode.source import Source


@dataclass(frozen=True)
class NetworkSubject:
    """The network of `recipe`, and pictures (n, c, h, w) with labels to try it on.

    `raw_NCHW` are uint8, `images_NCHW` the same prepared.
    """

    recipe: Recipe
    source: Source | None
    raw_NCHW: Tensor
    images_NCHW: Tensor
    labels_N: Tensor
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.class_names)

    def make(self, seed: int = 0) -> nn.Module:
        """Return the network with weights drawn from `seed`."""
        torch.manual_seed(seed)
        return build_network(self.recipe, self.classes, self.images_NCHW.shape[1])

    @cached_property
    def network(self) -> nn.Module:
        """One for checks that change nothing."""
        return self.make()

    def pictures(self, count: int) -> Tensor:
        """Return the first ones, as a tensor of its own."""
        return self.images_NCHW[:count].clone()

    def defined(self, name: str) -> str:
        """Say in which line `self.<name>` of a weight or layer is made, if one can tell."""
        attribute = name.split(".")[0]
        for file, text in (self.source.files if self.source else {}).items():
            for number, line in enumerate(text.splitlines(), start=1):
                if re.search(rf"\bself\.{re.escape(attribute)}\s*(:[^=]*)?=", line):
                    return f"{name} ({file}:{number})"
        return name

    def steps(self, training: bool = False) -> list[Step]:
        """Return the operations of a forward pass."""
        network = self.make().train(training)
        return steps_of(network, self.pictures(7))
