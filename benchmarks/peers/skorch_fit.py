"""skorch's NeuralNetClassifier on arrays, as its quick start does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from skorch.helper import predefined_split

import _common


def fit(
    train: _common.Pictures, validation: _common.Pictures, epochs: int
) -> Callable[[_common.Pictures], NDArray[Any]]:
    """Train; return how to predict."""
    net = NeuralNetClassifier(
        _common.Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=_common.LEARNING_RATE,
        batch_size=_common.BATCH,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(*validation)),
        verbose=0,
    )
    net.fit(train.images, train.labels)
    return lambda pictures: net.forward(pictures.images).numpy()


if __name__ == "__main__":
    _common.run(fit)
