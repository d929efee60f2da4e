"""The plain convolutional network: convolution blocks, then dense layers, then class scores.

Both seed systems are of this family. A block is a convolution (3x3 with padding 1 by default, so
that it keeps the size), optionally batch normalisation, ReLU, and a 2x2 max-pooling that halves
the size. A hidden dense layer is linear, optionally batch normalisation, an activation, dropout.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from fashioncnn.models.family import ModelSettings, halving_fault
from fashioncnn.settings import Counts

Activation = Literal["relu", "sigmoid"]
Initialisation = Literal["pytorch", "xavier", "he"]

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "sigmoid": nn.Sigmoid,
}


class PlainCNNSettings(ModelSettings):
    """Convolution blocks, then dense layers."""

    family: Literal["plain-cnn"] = "plain-cnn"
    channels: Annotated[Counts, Field(min_length=1, max_length=6, examples=[(4, 8)])]
    """Output channels of each convolution block; a further number is a further block."""
    kernel_size: Literal[1, 3, 5, 7] = 3
    """Pixels a side, of every convolution."""
    batch_norm: bool = False
    """After every convolution."""
    hidden_features: Annotated[Counts, Field(max_length=4, examples=[(16,)])]
    """Width of each hidden dense layer."""
    hidden_activation: Activation = "relu"
    """After every hidden dense layer."""
    hidden_batch_norm: bool = False
    """After every hidden dense layer, before its activation."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """After every hidden dense layer: the share of its features that a step leaves out."""
    initialisation: Initialisation = "pytorch"
    """Of the weights: PyTorch's own, Glorot and Bengio's, or He's."""

    @property
    def halvings(self) -> int:
        """How often the picture is halved."""
        return len(self.channels)

    def fault(self, image_size: tuple[int, int]) -> str | None:
        """See ModelSettings."""
        return halving_fault(len(self.channels), self.halvings, image_size)

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> PlainCNN:
        """See ModelSettings."""
        keywords = self.model_dump(exclude={"family", "members"})
        return PlainCNN(in_channels=in_channels, image_size=image_size, classes=classes, **keywords)


class PlainCNN(nn.Module):
    """`channels` gives one convolution block each; `hidden_features` one dense layer each.

    Takes (n, in_channels, *image_size) float, returns (n, classes) logits. Raises ValueError
    when the blocks halve `image_size` to nothing.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        classes: int,
        channels: Sequence[int],
        hidden_features: Sequence[int],
        kernel_size: int = 3,
        batch_norm: bool = False,
        hidden_activation: Activation = "relu",
        hidden_batch_norm: bool = False,
        dropout: float = 0.0,
        initialisation: Initialisation = "pytorch",
    ) -> None:
        super().__init__()
        if min(image_size) >> len(channels) == 0:
            raise ValueError(f"{len(channels)} blocks halve pictures of {image_size} to nothing")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        width = in_channels
        for number, block_channels in enumerate(channels, start=1):
            layers[f"conv{number}"] = nn.Conv2d(
                width, block_channels, kernel_size, padding=kernel_size // 2
            )
            if batch_norm:
                layers[f"conv{number}_norm"] = nn.BatchNorm2d(block_channels)
            # Pooling first gives the same numbers, for a quarter of the ReLU's work.
            layers[f"pool{number}"] = nn.MaxPool2d(2)
            layers[f"pool{number}_relu"] = nn.ReLU(inplace=True)
            width = block_channels
        layers["flatten"] = FlattenChannelsLast()
        height, length = (side >> len(channels) for side in image_size)
        features = width * height * length
        for number, dense_features in enumerate(hidden_features, start=1):
            layers[f"dense{number}"] = nn.Linear(features, dense_features)
            if hidden_batch_norm:
                layers[f"dense{number}_norm"] = nn.BatchNorm1d(dense_features)
            layers[f"dense{number}_{hidden_activation}"] = ACTIVATIONS[hidden_activation]()
            if dropout:
                layers[f"dense{number}_dropout"] = nn.Dropout(dropout)
            features = dense_features
        layers["output"] = nn.Linear(features, classes)
        self.layers = nn.Sequential(layers)
        _initialise(self, initialisation)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return the logits (n, classes)."""
        logits: Tensor = self.layers(images_NCHW)
        return logits


class FlattenChannelsLast(nn.Flatten):
    """(n, c, h, w) to (n, h·w·c): without a copy where memory is in channels-last order."""

    def forward(self, features_NCHW: Tensor) -> Tensor:
        """Return the features, the channel changing fastest."""
        return features_NCHW.permute(0, 2, 3, 1).flatten(1)


def _initialise(network: nn.Module, initialisation: Initialisation) -> None:
    """Xavier: Glorot and Bengio 2010, eq. 16. He: He et al. 2015, eq. 10. Biases start at 0."""
    if initialisation == "pytorch":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if initialisation == "xavier":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
