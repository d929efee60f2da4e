"""Training as people see it: a bar on a terminal, and a line an epoch everywhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from fashioncnn.console.say import console, duration, say
from fashioncnn.data.batches import Batches
from fashioncnn.training.record import EpochRecord
from fashioncnn.training.state import TrainingState

REFRESH_SECONDS = 0.1


class TrainingProgress:
    """A bar while training on a terminal, and a line an epoch everywhere."""

    def __init__(self, batches: Batches, epochs: int) -> None:
        self.batches, self.epochs = batches, epochs
        self._steps = batches.steps_before(epochs)
        self._bar: Any = None
        self._next = 0.0
        self._steps_done = 0
        self._started = time.perf_counter()
        self._validation = ""

    def __enter__(self) -> TrainingProgress:
        if sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:3.0f} %  {task.fields[facts]}"),
                console=console(),
                transient=True,
            )
            self._task = self._bar.add_task("training", total=self._steps, facts="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, state: TrainingState) -> None:
        """Take note of one step done; now and then, show where training stands."""
        self._steps_done += 1
        if not self._bar or time.perf_counter() < self._next:
            return
        self._next = time.perf_counter() + REFRESH_SECONDS
        seen = state.position.step * self.batches.batch_size
        facts = (
            f"{seen / state.seconds:,.0f} images/s  loss {float(state.loss_sum) / seen:.3f}"
            f"{self._validation}  {duration(self._seconds_left(state))} left"
        )
        epoch = state.position.epoch
        self._bar.update(
            self._task,
            completed=self.batches.steps_before(epoch) + state.position.step,
            description=f"epoch {epoch + 1}/{self.epochs}",
            facts=facts,
        )

    def epoch(self, record: EpochRecord, state: TrainingState) -> None:
        """Print one epoch's figures."""
        validation = ""
        if record.val_loss is not None and record.val_accuracy is not None:
            self._validation = f"  validation {record.val_accuracy:.2%}"
            validation = (
                f"  validation loss {record.val_loss:.4f} accuracy {record.val_accuracy:.2%}"
            )
        left = self._seconds_left(state)
        some = record.image_count < self.batches.image_count(0)
        hardest = f" (the hardest {record.image_count:,})" if some else ""
        say(
            f"epoch {record.epoch:>{len(str(self.epochs))}}/{self.epochs}"
            f"  training loss {record.train_loss:.4f} accuracy {record.train_accuracy:.2%}"
            f"{hardest}{validation}"
            f"  {record.images_per_second:,.0f} images/s  {duration(record.seconds)}"
            + (f"  {duration(left)} left" if record.epoch < self.epochs else "")
        )

    def _seconds_left(self, state: TrainingState) -> float:
        done = self.batches.steps_before(state.position.epoch) + state.position.step
        seconds_a_step = (time.perf_counter() - self._started) / max(1, self._steps_done)
        return (self._steps - done) * seconds_a_step
