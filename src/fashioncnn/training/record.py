"""What one epoch cost and scored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's figures. `epoch` counts from 1; accuracies are shares from 0 to 1.

    `train_loss` is the loss that was optimised (class weights, smoothing, dropout and augmentation
    included) and `train_accuracy` is over the same batches, less their pictures of no class;
    `val_loss` is plain cross-entropy. `image_count` is how many pictures the epoch had.
    `first_step_seconds` is what its first step took, the drawing of the epoch and, in the first
    epoch, the making of kernels included. Figures of validation are None where no pictures were set
    aside for it.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    val_accuracy_by_class: list[float] | None
    learning_rate: float
    image_count: int
    seconds: float
    first_step_seconds: float
    images_per_second: float

    def metrics(self) -> dict[str, float | list[float] | None]:
        """Return the figures under the names of `metrics.jsonl`."""
        return {
            "epoch": self.epoch,
            "train/loss": self.train_loss,
            "train/accuracy": self.train_accuracy,
            "val/loss": self.val_loss,
            "val/accuracy": self.val_accuracy,
            "val/accuracy_by_class": self.val_accuracy_by_class,
            "train/learning_rate": self.learning_rate,
            "train/images": self.image_count,
            "train/seconds": self.seconds,
            "train/first_step_seconds": self.first_step_seconds,
            "train/images_per_second": self.images_per_second,
        }
