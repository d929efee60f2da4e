"""The data set that a verb works on: opened at its door, each part read and proved once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fashioncnn.data import sources
from fashioncnn.data.images import FASHION_MNIST_CLASSES, LabelledImages
from fashioncnn.data.sources import Part, Source


@dataclass(frozen=True)
class DataSet:
    """Fashion-MNIST in the folder `place`, or where it is found. Reading raises DataError."""

    place: Path | str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return FASHION_MNIST_CLASSES

    @cached_property
    def source(self) -> Source:
        """Where the files lie."""
        return sources.find(self.place)

    @cached_property
    def train(self) -> LabelledImages:
        """The 60,000 training pictures."""
        return sources.load(self.source, "train")

    @cached_property
    def test(self) -> LabelledImages:
        """The 10,000 test pictures. Evaluation reads them; see `runs.readings`."""
        return sources.load(self.source, "test")

    def digests(self, part: Part) -> dict[str, str]:
        """Return the SHA-256 of the decompressed files of `part`, by name."""
        return sources.identity_digest(part)


def open_dataset(data: DataSet | Path | str | None) -> DataSet:
    """Return `data` itself, or the data set in the folder that it names."""
    return data if isinstance(data, DataSet) else DataSet(data)
