"""A small convolutional network for speed: every halving of the picture is a strided convolution.

The first convolution steps by two, so that everything after it works on a quarter of the
positions (with `stem_stride` 1 it does not, and sees more); each further stage opens with one that
steps by two again. Convolutions of a stage follow, 3x3, each with batch normalisation and ReLU;
with `residual`, each adds its input to its output (He et al., arXiv 1512.03385, sec. 3.1, with one
convolution a block). Strides in place of pooling, as pooling kernels take a quarter of the time of
such a network on processors.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, Strict, model_validator
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.models.family import ModelSettings, check_blocks, halving_fault
from fashioncnn.models.freezing import at_rest
from fashioncnn.settings import Counts, Positive

Pooling = Literal["max", "average"]


class StridedCNNSettings(ModelSettings):
    """Strided convolutions in place of pooling."""

    any_image_size: ClassVar[bool] = True

    family: Literal["strided-cnn"] = "strided-cnn"
    channels: Annotated[Counts, Field(min_length=1, max_length=6, examples=[(8, 16)])]
    """Width of each stage; a stage works on half as many pixels a side as what comes before it,
    the first one too unless `stem_stride` is 1."""
    blocks: Annotated[
        tuple[Annotated[int, Field(ge=0, le=100), Strict()], ...],
        Strict(False),
        Field(examples=[(1, 2)]),
    ]
    """Convolutions of each stage after the one that opens it."""
    stem_kernel_size: Annotated[int, Field(ge=2, le=7)] = 3
    """Pixels a side, of the first convolution."""
    stem_stride: Literal[1, 2] = 2
    """Of the first convolution: with 1, the first stage works on every pixel."""
    residual: bool = False
    """Add each block's input to its output."""
    pooling: Pooling = "max"
    """From the last feature maps to one number a channel."""
    logit_scale: Positive = 1.0
    """Multiplies the class scores."""

    @property
    def halvings(self) -> int:
        """How often the picture is halved."""
        return len(self.channels) - (self.stem_stride == 1)

    @property
    def freezable_stages(self) -> int:
        """See ModelSettings: all but the last."""
        return len(self.channels) - 1

    def fault(self, image_size: tuple[int, int]) -> str | None:
        """See ModelSettings."""
        return halving_fault(len(self.channels), self.halvings, image_size)

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> StridedCNN:
        """See ModelSettings."""
        keywords = self.model_dump(exclude={"family", "members"})
        return StridedCNN(
            in_channels=in_channels, image_size=image_size, classes=classes, **keywords
        )

    @model_validator(mode="after")
    def _one_number_of_blocks_a_stage(self) -> StridedCNNSettings:
        check_blocks(self.channels, self.blocks)
        return self


class StridedCNN(nn.Module):
    """`channels` gives the width of each stage, `blocks` its number of further convolutions.

    Takes (n, in_channels, *image_size) float, returns (n, classes) logits. `logit_scale`
    multiplies them: below 1 it keeps the first answers small while the output layer learns fast.
    Raises ValueError when the stages halve `image_size` to nothing.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        classes: int,
        channels: Sequence[int],
        blocks: Sequence[int],
        stem_kernel_size: int = 3,
        stem_stride: int = 2,
        residual: bool = False,
        pooling: Pooling = "max",
        logit_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if min(image_size) >> (len(channels) - (stem_stride == 1)) == 0:
            raise ValueError(f"{len(channels)} stages halve pictures of {image_size} to nothing")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        width, kernel_size, stride = in_channels, stem_kernel_size, stem_stride
        for stage, (out, count) in enumerate(zip(channels, blocks, strict=True), start=1):
            # An even kernel lies evenly around the pixels that an output stands for.
            padding = (kernel_size - 1) // 2
            layers[f"conv{stage}"] = nn.Conv2d(
                width, out, kernel_size, stride=stride, padding=padding, bias=False
            )
            layers[f"conv{stage}_norm"] = nn.BatchNorm2d(out)
            layers[f"conv{stage}_relu"] = nn.ReLU(inplace=True)
            for block in range(1, count + 1):
                layers[f"conv{stage}_{block}"] = Block(out, residual=residual)
            width, kernel_size, stride = out, 3, 2
        layers["pool"] = GlobalMaxPool() if pooling == "max" else GlobalAveragePool()
        layers["output"] = nn.Linear(width, classes, bias=False)
        self.layers = nn.Sequential(layers)
        self.logit_scale = logit_scale
        # At rest and learning: in a tuple, which keeps them out of `state_dict`.
        self._frozen: tuple[nn.Module, nn.Module] | None = None

    def freeze(self, stages: int) -> None:
        """See Freezable."""
        first = list(self.layers._modules).index(f"conv{stages + 1}")
        self._frozen = at_rest(self.layers[:first]), self.layers[first:]

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return the logits (n, classes)."""
        if self.training and self._frozen:
            resting, learning = self._frozen
            with torch.no_grad():
                features_NCHW = resting(images_NCHW)
            logits_NC = learning(features_NCHW)
        else:
            logits_NC = self.layers(images_NCHW)
        scaled: Tensor = logits_NC * self.logit_scale
        return scaled


class Block(nn.Module):
    """Convolution, batch normalisation, ReLU; added to the input where `residual`."""

    def __init__(self, channels: int, *, residual: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.residual = residual

    def forward(self, features_NCHW: Tensor) -> Tensor:
        """Return features of the same shape."""
        answer: Tensor = self.relu(self.norm(self.conv(features_NCHW)))
        return features_NCHW + answer if self.residual else answer


class GlobalMaxPool(nn.Module):
    """(n, c, h, w) to (n, c): each channel's largest value."""

    def forward(self, features_NCHW: Tensor) -> Tensor:
        """Return the largest values."""
        height, width = features_NCHW.shape[-2:]
        return functional.max_pool2d(features_NCHW, (height, width)).flatten(1)


class GlobalAveragePool(nn.Module):
    """(n, c, h, w) to (n, c): each channel's mean."""

    def forward(self, features_NCHW: Tensor) -> Tensor:
        """Return the means."""
        height, width = features_NCHW.shape[-2:]
        return functional.avg_pool2d(features_NCHW, (height, width)).flatten(1)
