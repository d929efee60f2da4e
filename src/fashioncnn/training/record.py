"""What one epoch cost and scored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's figures. `epoch` counts from 1; accuracies are shares from 0 to 1.

    `train_loss` is the loss that was optimised (class weights, smoothing, dropout and augmentation
    included) and `train_accuracy` is over the same batches; `val_loss` is plain cross-entropy.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float

    def metrics(self) -> dict[str, float]:
        """Return the figures under the names of `metrics.jsonl`."""
        return {
            "epoch": self.epoch,
            "train/loss": self.train_loss,
            "train/accuracy": self.train_accuracy,
            "val/loss": self.val_loss,
            "val/accuracy": self.val_accuracy,
            "train/learning_rate": self.learning_rate,
            "train/seconds": self.seconds,
            "train/images_per_second": self.images_per_second,
        }
