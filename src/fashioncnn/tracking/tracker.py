"""What a tracker is, and what of a run goes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from fashioncnn.runs import artifacts
from fashioncnn.runs.directory import Run

TrackerName = Literal["tensorboard", "mlflow"]
Status = Literal["FINISHED", "FAILED", "KILLED"]
Record = Mapping[str, Any]


class Tracker(Protocol):
    """One tracker's copy of one run. Every method raises TrackingError when it cannot write."""

    def epochs(self, records: Sequence[Record]) -> None:
        """Write the scalars of those records of metrics.jsonl that are not there yet."""

    def files(self) -> None:
        """Write test scores, figures, recipe, provenance, and what else lies in the run."""

    def close(self, status: Status) -> None:
        """Say how the training ended."""


def scalars(record: Record, class_names: Sequence[str]) -> dict[str, float]:
    """Return the numbers of a record by name; those by class are "val/accuracy/Shirt"."""
    found = {}
    for key, value in record.items():
        if isinstance(value, int | float) and key != "epoch":
            found[key] = float(value)
        elif isinstance(value, list):
            by_class = key.removesuffix("_by_class")
            for name, figure in zip(class_names, value, strict=False):
                found[f"{by_class}/{name}"] = float(figure)
    return found


def test_scores(run: Run) -> dict[str, float]:
    """Return the scores on the test split, if the run has any; "test/f1/Shirt" is one."""
    path = run.path / artifacts.scores().path
    return artifacts.scores().read(path)[0].metrics() if path.exists() else {}


def figures(run: Run) -> list[Path]:
    """List the figures of the run, if any are drawn yet."""
    return sorted(run.figures_folder.glob("*.png"))
