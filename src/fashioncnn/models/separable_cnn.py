"""A small convolutional network with few weights: each 3x3 filter looks at one channel.

The first convolution sees every pixel. Stages of separable blocks follow: a depthwise 3x3
convolution, one filter a channel, then a 1x1 convolution that mixes the channels, each with batch
normalisation, ReLU after the second (Howard et al., arXiv 1704.04861, sec. 3.1, without the ReLU
between). A block that keeps its shape adds its input to its output. Each stage after the first
halves the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict, model_validator
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.models.family import ModelSettings, check_blocks, halving_fault
from fashioncnn.models.strided_cnn import GlobalAveragePool
from fashioncnn.settings import Count, Counts, Positive


class SeparableCNNSettings(ModelSettings):
    """Depthwise and 1x1 convolutions in turn: few weights."""

    any_image_size: ClassVar[bool] = True

    family: Literal["separable-cnn"] = "separable-cnn"
    channels: Annotated[Counts, Field(min_length=1, max_length=6, examples=[(8, 16)])]
    """Width of each stage; each after the first works on half as many pixels a side."""
    blocks: Annotated[
        tuple[Annotated[Count, Field(le=100)], ...],
        Strict(False),
        Field(examples=[(1, 2)]),
    ]
    """Separable blocks of each stage."""
    logit_scale: Positive = 1.0
    """Multiplies the class scores."""

    def fault(self, image_size: tuple[int, int]) -> str | None:
        """See ModelSettings."""
        return halving_fault(len(self.channels), len(self.channels) - 1, image_size)

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> SeparableCNN:
        """See ModelSettings."""
        del image_size
        keywords = self.model_dump(exclude={"family", "members"})
        return SeparableCNN(in_channels=in_channels, classes=classes, **keywords)

    @model_validator(mode="after")
    def _one_number_of_blocks_a_stage(self) -> SeparableCNNSettings:
        check_blocks(self.channels, self.blocks)
        return self


class SeparableCNN(nn.Module):
    """`channels` gives the width of each stage, `blocks` its number of separable blocks.

    Takes (n, in_channels, height, width) float, returns (n, classes) logits, times `logit_scale`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        channels: Sequence[int],
        blocks: Sequence[int],
        logit_scale: float = 1.0,
    ) -> None:
        super().__init__()
        width = channels[0]
        self.stem = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.stem_relu = nn.ReLU(inplace=True)
        self.layers = nn.Sequential()
        for stage, (out, count) in enumerate(zip(channels, blocks, strict=True), start=1):
            for block in range(1, count + 1):
                stride = 2 if stage > 1 and block == 1 else 1
                self.layers.add_module(f"block{stage}_{block}", SeparableBlock(width, out, stride))
                width = out
        self.pool = GlobalAveragePool()
        self.output = nn.Linear(width, classes, bias=False)
        self.logit_scale = logit_scale

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return the logits (n, classes)."""
        features = self.stem_relu(self.stem_norm(self.stem(images_NCHW)))
        logits: Tensor = self.output(self.pool(self.layers(features))) * self.logit_scale
        return logits


class SeparableBlock(nn.Module):
    """Depthwise 3x3 and 1x1 convolution; added to the input where the shape stays."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False
        )
        self.depthwise_norm = nn.BatchNorm2d(channels)
        self.mix = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.mix_norm = nn.BatchNorm2d(out_channels)
        self.residual = stride == 1 and channels == out_channels

    def forward(self, features_NCHW: Tensor) -> Tensor:
        """Return features of `out_channels` channels."""
        mixed = self.mix_norm(self.mix(self.depthwise_norm(self.depthwise(features_NCHW))))
        answer = functional.relu(mixed)
        return features_NCHW + answer if self.residual else answer
