"""TensorBoard: event files in the run's folder `tensorboard`; `tensorboard --logdir runs` shows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from fashioncnn.errors import TrackingError
from fashioncnn.runs.directory import Run
from fashioncnn.tracking.trackers import Record, Status, figures, scalars, test_scores


class TensorBoard:
    """See Tracker. What was there is written anew: it is cheap, and nothing is there twice."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._epochs = 0
        folder = run.path / "tensorboard"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            self._writer = SummaryWriter(folder)
        except OSError as error:
            raise TrackingError(f"--log tensorboard: {folder}: {error.strerror}") from None

    def epochs(self, records: Sequence[Record]) -> None:
        """See Tracker."""
        for record in records[self._epochs :]:
            self._epochs = record["epoch"]
            self._write(scalars(record))
        self._flush()

    def files(self) -> None:
        """See Tracker."""
        self._write(test_scores(self._run))
        for path in (self._run.recipe_file, self._run.provenance_file):
            # Four blanks keep it as it is in TensorBoard's Markdown.
            text = "".join(f"    {line}\n" for line in path.read_text("utf-8").splitlines())
            self._writer.add_text(path.name, text, self._epochs)
        for path in figures(self._run):
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            self._writer.add_image(f"figures/{path.stem}", pixels, self._epochs, dataformats="HWC")
        self._flush()

    def close(self, status: Status) -> None:
        """See Tracker; event files say nothing of how a run ended."""
        del status
        self._writer.close()

    def _write(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, self._epochs)

    def _flush(self) -> None:
        try:
            self._writer.flush()
        except OSError as error:
            raise TrackingError(f"--log tensorboard: cannot write: {error.strerror}") from None
