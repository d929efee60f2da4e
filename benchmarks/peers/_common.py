"""What the peers share: the pictures, the network of `two-conv`, and how a run is answered.

Tools without per-picture augmentation in their own examples train on plain pictures, 32x32 in
[-1, 1], held in memory; the network, Adam at 0.001, batch 64 and 10 epochs are the recipe's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.data.splits import Splits, split
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import score

BATCH, EPOCHS, LEARNING_RATE, HIDDEN, DROPOUT = 64, 10, 0.001, 256, 0.3


class Net(nn.Module):
    """The network of `two-conv`, as a tutorial writes it."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 8 * 8, hidden)
        self.dropout = nn.Dropout(DROPOUT)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = self.dropout(torch.relu(self.fc1(x.flatten(1))))
        result: Tensor = self.fc2(x)
        return result


class Pictures(NamedTuple):
    """`images` float32 (n, 1, 32, 32) in [-1, 1]; `labels` int64 (n,)."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def read() -> tuple[Splits, LabelledImages]:
    """Return the splits of `two-conv`, and test."""
    data = DataSet()
    return split(data.train, validation_images=5000, seed=20170825), data.test


def prepare(pictures: LabelledImages) -> Pictures:
    """Resize and scale all pictures at once."""
    images = as_uint8_NCHW(pictures.images_NHWC, torch.device("cpu"))
    return Pictures(Preparation((32, 32), (0.5,), (0.5,))(images).numpy(), pictures.labels)


def run(fit: Callable[[Pictures, Pictures, int], Callable[[Pictures], NDArray[Any]]]) -> None:
    """Train with `fit` (training, validation, epochs), test what it answers, and print.

    The clock runs from uint8 pictures in memory to the trained network.
    """
    options = arguments()
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    splits, test = read()
    started = time.perf_counter()
    predict = fit(prepare(splits.train), prepare(splits.validation), options.epochs)
    answer(time.perf_counter() - started, predict(prepare(test)), test.labels)


def arguments() -> argparse.Namespace:
    """Read --seed and --epochs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    return parser.parse_args()


def answer(seconds: float, logits: NDArray[Any], labels: NDArray[np.int64]) -> None:
    """Print the one JSON object."""
    indices = np.arange(len(labels))
    predictions = Predictions(np.asarray(logits, np.float32), labels, indices, CLASSES)
    print(json.dumps({"metrics": {"train/seconds": seconds, **score(predictions).metrics()}}))
