"""TensorBoard: event files in the run's folder `tensorboard`; `tensorboard --logdir runs` shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from fashioncnn.errors import TrackingError
from fashioncnn.runs.directory import Run
from fashioncnn.tracking.tracker import Record, Status, figures, scalars, test_scores


class TensorBoard:
    """See Tracker. What was there is written anew: it is cheap, and nothing is there twice."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._epochs = 0
        folder = run.path / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        with _writing():
            self._writer = SummaryWriter(folder)

    def epochs(self, records: Sequence[Record]) -> None:
        """See Tracker."""
        with _writing():
            for record in records[self._epochs :]:
                self._epochs = record["epoch"]
                self._scalars(scalars(record, self._run.trained_on.class_names))
            self._writer.flush()

    def files(self) -> None:
        """See Tracker."""
        with _writing():
            self._scalars(test_scores(self._run))
            for path in (self._run.recipe_file, self._run.provenance_file):
                # Four blanks keep it as it is in TensorBoard's Markdown.
                text = "".join(f"    {line}\n" for line in path.read_text("utf-8").splitlines())
                self._writer.add_text(path.name, text, self._epochs)
            for path in figures(self._run):
                with Image.open(path) as picture:
                    pixels = np.asarray(picture.convert("RGB"))
                name = f"figures/{path.stem}"
                self._writer.add_image(name, pixels, self._epochs, dataformats="HWC")
            self._writer.flush()

    def close(self, status: Status) -> None:
        """See Tracker; event files say nothing of how a run ended."""
        del status
        with _writing():
            self._writer.close()

    def _scalars(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, self._epochs)


@contextmanager
def _writing() -> Iterator[None]:
    # The writer's own thread fails first; any later call raises what happened there.
    try:
        yield
    except OSError as error:
        raise TrackingError(
            f"--track tensorboard: cannot write: {error.strerror or error}"
        ) from None
