"""The data set of a verb: what the user names, else what the run was trained on."""

from __future__ import annotations

from pathlib import Path

from fashioncnn.console.say import with_progress
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.sources.base import Size
from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.runs.directory import Run

Data = DataSet | Path | str | None


def open_data(data: Data, size: Size | None = None) -> DataSet:
    """Return `data` itself, or the data set at the place that it names."""
    return data if isinstance(data, DataSet) else DataSet(data, size, with_progress)


def data_of(run: Run, data: Data) -> DataSet:
    """Return `data`, or where nothing is named the pictures that `run` was trained on."""
    known = run.trained_on
    if data is None and known.kind != FashionMNIST.kind:
        data = known.place
    return open_data(data, (known.shape.height, known.shape.width))
