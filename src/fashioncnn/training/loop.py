"""The training loop: steps through batches and yields an `EpochRecord` an epoch.

It touches no disk and prints nothing; callers write, show and stop.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from fashioncnn.data.augmentations.base import NO_CLASS
from fashioncnn.data.batches import Batch, Batches, in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.errors import Diverged, RecipeError
from fashioncnn.models.ensemble import for_each_member, joint
from fashioncnn.models.freezing import freeze
from fashioncnn.training.cuda_graphs import CudaGraphs
from fashioncnn.training.processes import Processes
from fashioncnn.training.record import EpochRecord
from fashioncnn.training.state import TrainingState
from fashioncnn.training.whole_batch import span_processes

# Reading the loss waits for the device, so it is looked at now and then.
STEPS_BETWEEN_CHECKS = 20
VALIDATION_BATCH = 250


@dataclass(frozen=True)
class Freezing:
    """After `after_epochs` epochs, the network's first `stages` stages learn no more."""

    after_epochs: int
    stages: int


class StopRequested(Exception):
    """Raised between two steps when the caller asked to stop; the state is whole."""


@dataclass(frozen=True)
class Training:
    """What stays the same through training.

    `learning_rate_factor` maps a step (from 0, over all epochs) to a factor on the peak rate of
    each of the optimiser's groups. `validation` may be empty. `freezing` says when which stages
    stop learning. Steps of `recordable` parts may be replayed, see CudaGraphs. `after_step` hears
    the state after every step and answers whether to stop.
    """

    processes: Processes
    batches: Batches
    validation: LabelledImages
    loss: nn.Module
    learning_rate_factor: Callable[[int], float]
    epochs: int
    freezing: Freezing | None = None
    recordable: bool = False
    after_step: Callable[[TrainingState], bool] | None = None

    def run(self, state: TrainingState) -> Iterator[EpochRecord]:
        """Train from where `state` stands to the end, yielding after each epoch.

        When a record is yielded, `state` stands before the next epoch. Raises Diverged when the
        loss is not finite, StopRequested when `after_step` asks to stop, RecipeError where batch
        norm would be given the features of a single picture.
        """
        self._try_a_single_picture(state)
        if self.processes.count > 1:
            span_processes(state.network, self.processes)
        take_step = self._stepper(state)
        frozen = False
        for epoch in range(state.position.epoch, self.epochs):
            started = time.perf_counter() - state.seconds
            if self.freezing and epoch >= self.freezing.after_epochs and not frozen:
                freeze(state.network, self.freezing.stages)
                # Several processes wait for the gradient of every weight that learned at set-up.
                take_step = self._stepper(state)
                frozen = True
            state.network.train()
            losses_N = state.losses.at_epoch_start_N if state.losses else None
            steps_before = self.batches.steps_before(epoch)
            for batch in self.batches.epoch(epoch, state.position.step, losses_N):
                step = steps_before + state.position.step
                state.set_learning_rates(self.learning_rate_factor(step))
                self.processes.begin_batch(len(batch.labels))
                take_step(batch)
                state.position.step += 1
                self._check_finite(state)
                state.seconds = time.perf_counter() - started
                if state.position.step == 1:
                    state.first_step_seconds = state.seconds
                if self.after_step and self.after_step(state):
                    raise StopRequested
            yield self._finish_epoch(state, epoch, started)

    def _try_a_single_picture(self, state: TrainingState) -> None:
        """Raise RecipeError where an epoch ends with one picture and the network needs two."""
        batches = self.batches
        lonely = [
            epoch
            for epoch in range(state.position.epoch, self.epochs)
            if batches.image_count(epoch) % batches.batch_size == 1 or batches.batch_size == 1
        ]
        if not lonely:
            return
        size = batches.pictures.shape.channels, *batches.image_size(lonely[0])
        with torch.no_grad(), torch.random.fork_rng():
            try:
                copy.deepcopy(state.network).train()(torch.zeros(1, *size, device=state.device))
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise RecipeError(
                    f"training.batch_size is {batches.batch_size}: an epoch of "
                    f"{batches.image_count(lonely[0]):,} pictures ends with a single one, which "
                    "batch norm of features cannot take; choose another size"
                ) from None

    def _stepper(self, state: TrainingState) -> Callable[[Batch], None]:
        """Return what changes `state`'s tensors by one step, without waiting for the device."""
        fabric = self.processes.fabric
        network, optimizer = fabric.setup(state.network, state.optimizer)

        def take_step(batch: Batch) -> None:
            logits = self.processes.whole(network(batch.images_NCHW))
            loss = self.loss(logits, for_each_member(batch.labels, logits))
            optimizer.zero_grad()
            # The loss is the mean over members: each learns as it would alone by their sum.
            fabric.backward(loss * logits.shape[2:].numel())
            optimizer.step()
            if state.average:
                state.average.update()
            answers_NC = joint(logits.detach())
            if state.losses:
                state.losses.note(batch.indices, answers_NC, batch.labels)
            state.loss_sum += loss.detach() * len(batch.labels)
            state.correct += (answers_NC.argmax(1) == batch.labels).sum()
            state.of_no_class += (batch.labels == NO_CLASS).sum()

        if self.recordable and state.device.type == "cuda" and self.processes.count == 1:
            return CudaGraphs(take_step, state.optimizer, state.device)
        return take_step

    def _check_finite(self, state: TrainingState) -> None:
        step, steps = state.position.step, self.batches.steps(state.position.epoch)
        if (step % STEPS_BETWEEN_CHECKS == 0 or step == steps) and not bool(
            state.loss_sum.isfinite()
        ):
            raise Diverged(
                f"the training loss is not finite (epoch {state.position.epoch + 1}, by step "
                f"{step} of {steps}); a lower optimizer.learning_rate may help "
                f"(it was {state.learning_rate:g})"
            )

    def _finish_epoch(self, state: TrainingState, epoch: int, started: float) -> EpochRecord:
        image_count = self.batches.image_count(epoch)
        train_loss = float(state.loss_sum) / image_count
        train_accuracy = int(state.correct) / max(1, image_count - int(state.of_no_class))
        train_seconds = time.perf_counter() - started
        val_loss, val_by_class, val_accuracy = None, None, None
        if len(self.validation):
            val_loss, right_by_class = validate(
                self.processes, state.predictor, self.validation, self.batches.preparation
            )
            if not math.isfinite(val_loss):
                raise Diverged(
                    f"the validation loss is not finite (epoch {epoch + 1}); a lower "
                    "optimizer.learning_rate may help, or the network fails in evaluation mode"
                )
            val_accuracy = int(right_by_class.sum()) / len(self.validation)
            of_class = np.bincount(self.validation.labels, minlength=len(right_by_class))
            val_by_class = (right_by_class / np.maximum(of_class, 1)).tolist()
        record = EpochRecord(
            epoch=epoch + 1,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            val_accuracy_by_class=val_by_class,
            learning_rate=state.learning_rate,
            image_count=image_count,
            seconds=time.perf_counter() - started,
            first_step_seconds=state.first_step_seconds,
            images_per_second=image_count / train_seconds,
        )
        state.begin_epoch(epoch + 1)
        return record


@torch.no_grad()
def validate(
    processes: Processes, network: nn.Module, pictures: LabelledImages, preparation: Preparation
) -> tuple[float, NDArray[np.int64]]:
    """Return `network`'s mean cross-entropy on `pictures`, and how many it has right by class."""
    network.eval()
    fabric = processes.fabric
    loss_sum = 0.0
    right = np.zeros(pictures.classes, np.int64)
    mine = pictures.take(np.arange(len(pictures))[processes.part])
    for batch in in_order(mine, preparation, VALIDATION_BATCH, fabric.device):
        with fabric.autocast():
            logits = network(batch.images_NCHW)
        logits = logits.float()
        loss_sum += float(functional.cross_entropy(logits, batch.labels, reduction="sum"))
        labels = batch.labels[logits.argmax(1) == batch.labels]
        right += np.bincount(labels.cpu().numpy(), minlength=len(right))
    total, *by_class = processes.sum(torch.tensor([loss_sum, *right], dtype=torch.float64)).tolist()
    return total / len(pictures), np.array(by_class, np.int64)
