"""Networks that tests hand in as objects."""

from __future__ import annotations

import itertools

from torch import Tensor, nn


class Plain(nn.Module):
    """One hidden layer."""

    def __init__(self, width: int = 8, classes: int = 10) -> None:
        super().__init__()
        self.width = width
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Linear(width, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self.layers(images)
        return answers


class Configurable(nn.Module):
    """Keeps what it was made with."""

    def __init__(self, widths: list[int], pool: str) -> None:
        super().__init__()
        self.widths, self.pool = widths, pool
        sizes = [784, *widths, 10]
        self.layers = nn.Sequential(
            nn.Flatten(), *(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        )

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self.layers(images)
        return answers


class Secretive(nn.Module):
    """Keeps nothing of what it was made with."""

    def __init__(self, secret: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, secret), nn.Linear(secret, 10))

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self.layers(images)
        return answers


class Mean:
    """No network at all."""


def make_plain() -> nn.Module:
    """Make one by a function."""
    return Plain(4)
