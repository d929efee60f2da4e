"""The Lightning Trainer on tensors in a DataLoader, as its introduction does."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import lightning
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import _common


class Classifier(lightning.LightningModule):  # type: ignore[misc]
    """The network with its steps and its optimiser."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _common.Net()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the loss."""
        images, labels = batch
        return functional.cross_entropy(self.net(images), labels)

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Log loss and accuracy."""
        images, labels = batch
        logits = self.net(images)
        self.log("val_loss", functional.cross_entropy(logits, labels))
        self.log("val_accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.parameters(), lr=_common.LEARNING_RATE)


def fit(
    train: _common.Pictures, validation: _common.Pictures, epochs: int
) -> Callable[[_common.Pictures], NDArray[Any]]:
    """Train; return how to predict."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    loaders = [
        DataLoader(
            TensorDataset(torch.from_numpy(part.images), torch.from_numpy(part.labels)),
            batch_size=_common.BATCH,
            shuffle=part is train,
        )
        for part in (train, validation)
    ]
    model = Classifier()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, *loaders)

    @torch.no_grad()
    def predict(pictures: _common.Pictures) -> NDArray[Any]:
        logits: NDArray[Any] = model.eval().net(torch.from_numpy(pictures.images)).numpy()
        return logits

    return predict


if __name__ == "__main__":
    _common.run(fit)
