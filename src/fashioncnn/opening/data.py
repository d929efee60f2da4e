"""The data set of a verb: what the user names, else what the run was trained on."""

from __future__ import annotations

from pathlib import Path

from fashioncnn.console.say import with_progress
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import Shape
from fashioncnn.data.sources.base import Size
from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.errors import DataError
from fashioncnn.runs.directory import Run

Data = DataSet | Path | str | None


def open_data(data: Data, size: Size | None = None) -> DataSet:
    """Return `data` itself, or the data set at the place that it names.

    Raises DataError for a `size` where pictures do not come in any size.
    """
    found = data if isinstance(data, DataSet) else DataSet(_place(data), size, with_progress)
    if size is not None and not found.source.resizes:
        raise DataError(
            f"{found.source.place}: these pictures have a size; another one can be asked for of "
            "folders of picture files alone"
        )
    return found


def open_as(data: Data, shape: Shape) -> DataSet:
    """Return the data set, with pictures that come in any size made those of `shape`."""
    if isinstance(data, DataSet):
        return data
    return DataSet(_place(data), (shape.height, shape.width), with_progress)


def _place(data: object) -> Path | str | None:
    if data is not None and not isinstance(data, Path | str):
        raise DataError(
            f"data is {type(data).__name__}; it must be a path, or fc.DataSet.of(…) of pictures in "
            "memory"
        )
    return data


def data_of(run: Run, data: Data) -> DataSet:
    """Return `data`, or where nothing is named the pictures that `run` was trained on."""
    known = run.trained_on
    if data is None and known.kind != FashionMNIST.kind:
        data = known.place
    return open_as(data, known.shape)
