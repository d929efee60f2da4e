"""What is exported: preparation, network, and what is made of its logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import Preparation
from fashioncnn.models.ensemble import members_of
from fashioncnn.models.parts import check_used, parts_of


class Shipped(nn.Module):
    """A network with its preparation before it, and what is made of its logits behind it.

    Takes uint8 (n, height, width, channels); returns logits, probabilities at `temperature`,
    energy (n,), what the last layer is given (n, features), and the answers of `shown` layers.
    """

    scale: Tensor
    shift: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(
        self,
        network: nn.Module,
        preparation: Preparation,
        shape: Shape,
        temperature: float,
        shown: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self._heads = [parts_of(member).head for member in members_of(network)]
        self._shown = list(shown)
        scale = 255 * torch.tensor(preparation.pixel_std)
        means = torch.tensor(preparation.pixel_mean)
        self.register_buffer("scale", (1 / scale).view(-1, 1, 1))
        self.register_buffer("shift", (means / torch.tensor(preparation.pixel_std)).view(-1, 1, 1))
        self.resized = preparation.image_size != (shape.height, shape.width)
        for name, side, wanted in zip(
            ("rows", "columns"), shape[1:], preparation.image_size, strict=True
        ):
            self.register_buffer(name, _resizing(side, wanted))

    def forward(self, images_NHWC: Tensor) -> tuple[Tensor, ...]:
        """Return logits, probabilities, energy, embedding, feature maps."""
        images = images_NHWC.permute(0, 3, 1, 2).float()
        if self.resized:
            images = self.rows @ images @ self.columns.T
        given: dict[nn.Module, Tensor] = {}
        answered: dict[nn.Module, Tensor] = {}

        # By the layer that the hook was made for: of one with two names, tracing hands over others.
        def keep_input(layer: nn.Module, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given[layer] = inputs[0].flatten(1)

        def keep_output(layer: nn.Module, _: nn.Module, inputs: object, output: Any) -> None:
            del inputs
            # Attention returns its weights, too. What follows may work in place: hence the copy.
            answered.setdefault(layer, (output[0] if isinstance(output, tuple) else output).clone())

        hooks = [one.register_forward_pre_hook(partial(keep_input, one)) for one in self._heads]
        hooks += [one.register_forward_hook(partial(keep_output, one)) for one in self._shown]
        try:
            logits = self.network(images * self.scale - self.shift)
        finally:
            for hook in hooks:
                hook.remove()
        for head in self._heads:
            check_used(head, given)
        embedding = torch.cat([given[head] for head in self._heads], 1)
        maps = [answered[one] for one in self._shown]
        probabilities = torch.softmax(logits / self.temperature, 1)
        return (logits, probabilities, torch.logsumexp(logits, 1), embedding, *maps)


def _resizing(side: int, wanted: int) -> Tensor:
    """Return the (wanted, side) matrix that resizes one axis as Preparation does."""
    if side == wanted:
        return torch.eye(side)
    sources = torch.eye(side).view(1, 1, side, side)
    resized = functional.interpolate(
        sources, (wanted, side), mode="bilinear", align_corners=False, antialias=side > wanted
    )
    return resized[0, 0]
