"""The ordinary way of writing `two-conv`, as tutorials do, for comparison.

A Dataset resizes, flips, rotates and normalises each picture with Pillow; a DataLoader collects
batches; the network is in the default memory order and fp32; Adam is unfused. Same network, same
pictures, same epochs. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.data.sources import find, load
from fashioncnn.data.splits import split
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.scores import score


class Pictures(Dataset[tuple[Tensor, int]]):
    """Pictures, transformed one at a time with Pillow."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], train: bool) -> None:
        self.images, self.labels, self.train = images, labels, train

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index]).resize((32, 32), Image.Resampling.BILINEAR)
        if self.train:
            if random.random() < 0.5:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            image = image.rotate(random.uniform(-5, 5), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(image, np.float32)).div_(255)
        return pixels.sub_(0.5).div_(0.5).unsqueeze(0), int(self.labels[index])


class Net(nn.Module):
    """The network of `two-conv`."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 8 * 8, hidden)
        self.dropout = nn.Dropout(0.3)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = self.dropout(torch.relu(self.fc1(x.flatten(1))))
        result: Tensor = self.fc2(x)
        return result


def run(epochs: int, seed: int, workers: int, hidden: int) -> dict[str, Any]:
    """Train and test once; return seconds and test metrics."""
    random.seed(seed)
    torch.manual_seed(seed)
    source = find()
    splits = split(load(source, "train"), validation_images=5000, seed=20170825)
    loaders = {
        name: DataLoader(
            Pictures(part.images_NHW, part.labels, name == "train"),
            batch_size=64 if name == "train" else 1000,
            shuffle=name == "train",
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        for name, part in (
            ("train", splits.train),
            ("validation", splits.validation),
            ("test", load(source, "test")),
        )
    }
    model = Net(hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()

    started = time.perf_counter()
    for _ in range(epochs):
        model.train()
        running_loss, correct = 0.0, 0
        for images, labels in loaders["train"]:
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * len(labels)
            correct += int((outputs.argmax(1) == labels).sum())
        _predict(model, loaders["validation"])
    seconds = time.perf_counter() - started
    predictions = _predict(model, loaders["test"])
    return {"metrics": {"train/seconds": seconds, **score(predictions).metrics()}}


@torch.no_grad()
def _predict(model: nn.Module, loader: DataLoader[Any]) -> Predictions:
    model.eval()
    logits, labels = [], []
    for images, batch_labels in loader:
        logits.append(model(images))
        labels.append(batch_labels)
    dataset = loader.dataset
    assert isinstance(dataset, Pictures)
    names = FASHION_MNIST_CLASSES
    return Predictions(
        torch.cat(logits).numpy(), torch.cat(labels).numpy(), np.arange(len(dataset)), names
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--hidden", type=int, default=256)
    options = parser.parse_args()
    print(json.dumps(run(options.epochs, options.seed, options.workers, options.hidden)))
