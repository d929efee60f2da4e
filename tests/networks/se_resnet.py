"""A residual network with squeeze-and-excitation, its blocks in a file beside it."""

import torch
from se_blocks import Block
from torch import nn


class SEResNet(nn.Module):
    def __init__(self, width=16, depth=1, reduction=4, classes=10, in_channels=1):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        stages = []
        channels = width
        for stage in range(3):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(Block(channels, width * 2**stage, stride, reduction))
                channels = width * 2**stage
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.stages(self.stem(x))
        x = torch.mean(x, dim=(2, 3))
        return self.head(x)
