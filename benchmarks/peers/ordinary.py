"""The ordinary way of writing `two-conv`, as tutorials do.

A Dataset resizes, flips, rotates and normalises each picture with Pillow; a DataLoader collects
batches; the network is in the default memory order and fp32; Adam is unfused. Same network, same
pictures, same epochs.
"""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import _common
from fashioncnn.data.images import LabelledImages


class Pictures(Dataset[tuple[Tensor, int]]):
    """Pictures, transformed one at a time with Pillow."""

    def __init__(self, pictures: LabelledImages, train: bool) -> None:
        self.images, self.labels, self.train = pictures.images_NHWC[..., 0], pictures.labels, train

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


def main() -> None:
    """Train and test once."""
    options = _common.arguments()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    splits, test = _common.read()
    train_loader = DataLoader(Pictures(splits.train, True), batch_size=64, shuffle=True)
    validation_loader = DataLoader(Pictures(splits.validation, False), batch_size=1000)
    test_loader = DataLoader(Pictures(test, False), batch_size=1000)
    model = _common.Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=_common.LEARNING_RATE)
    criterion = nn.CrossEntropyLoss()

    started = time.perf_counter()
    for _ in range(options.epochs):
        model.train()
        running_loss, correct = 0.0, 0
        for images, labels in train_loader:
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * len(labels)
            correct += int((outputs.argmax(1) == labels).sum())
        predict(model, validation_loader)
    seconds = time.perf_counter() - started
    _common.answer(seconds, predict(model, test_loader), test.labels)


@torch.no_grad()
def predict(model: nn.Module, loader: DataLoader[Any]) -> NDArray[Any]:
    """Return the logits."""
    model.eval()
    return torch.cat([model(images) for images, _ in loader]).numpy()


if __name__ == "__main__":
    main()
