"""The trackers that a user asked for, and what of a run goes to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.errors import Stopped, TrackingError
from fashioncnn.evaluation.scores import Scores
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import read_json

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


def check(names: Sequence[TrackerName]) -> None:
    """Raise TrackingError unless every tracker is installed and can be reached."""
    for name in names:
        if find_spec(name) is None:
            raise TrackingError(
                f"--log {name}: the package {name} is not installed; "
                f'pip install "fashioncnn[{name}]"'
            )
    if "mlflow" in names:
        from fashioncnn.tracking.mlflow import reach

        reach()


def open_tracker(name: TrackerName, run: Run) -> Tracker:
    """Return the copy of `run`, the one that was begun earlier where there is one.

    Raises TrackingError when the tracker cannot be reached.
    """
    if name == "tensorboard":
        from fashioncnn.tracking.tensorboard import TensorBoard

        return TensorBoard(run)
    from fashioncnn.tracking.mlflow import MLflow

    return MLflow(run)


class Trackers:
    """All that were asked for. One that fails once work is under way is told of, and left alone."""

    def __init__(self, names: Sequence[TrackerName], run: Run, tell: Callable[[str], None]) -> None:
        self._open = {name: open_tracker(name, run) for name in dict.fromkeys(names)}
        self._run, self._tell = run, tell

    def epochs(self, records: Sequence[Record]) -> None:
        """See Tracker."""
        self._each(lambda tracker: tracker.epochs(records))

    def finish(self, status: Status) -> None:
        """Write the files where training came to its end, and how it ended."""
        if status == "FINISHED":
            self._each(lambda tracker: tracker.files())
        self._each(lambda tracker: tracker.close(status))

    def _each(self, write: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            try:
                write(tracker)
            except TrackingError as fault:
                del self._open[name]
                self._tell(
                    f"{fault}; the run itself is whole, and goes there later by: "
                    f"fashioncnn report {self._run.path} --log {name}"
                )


@contextmanager
def tracked(
    names: Sequence[TrackerName], run: Run, tell: Callable[[str], None]
) -> Iterator[Trackers]:
    """Copy `run` to the trackers while inside. Raises TrackingError where one cannot be opened."""
    trackers = Trackers(names, run, tell)
    try:
        yield trackers
    except BaseException as ended:
        trackers.finish("KILLED" if isinstance(ended, Stopped | KeyboardInterrupt) else "FAILED")
        raise
    trackers.finish("FINISHED")


def track(names: Sequence[TrackerName], run: Run, tell: Callable[[str], None]) -> None:
    """Copy a finished run. Raises TrackingError as `tracked` does."""
    with tracked(names, run, tell) as trackers:
        trackers.epochs(run.metrics)


def scalars(record: Record) -> dict[str, float]:
    """Return the numbers of a record by name; those by class are "val/accuracy/Shirt"."""
    found = {}
    for key, value in record.items():
        if isinstance(value, int | float) and key != "epoch":
            found[key] = float(value)
        elif isinstance(value, list):
            by_class = key.removesuffix("_by_class")
            for name, figure in zip(FASHION_MNIST_CLASSES, value, strict=False):
                found[f"{by_class}/{name}"] = float(figure)
    return found


def test_scores(run: Run) -> dict[str, float]:
    """Return the scores on the test split, if the run has any; "test/f1/Shirt" is one."""
    file = run.evaluation / "scores.json"
    return Scores.from_json(read_json(file)).metrics() if file.exists() else {}


def figures(run: Run) -> list[Path]:
    """List the figures of the run, if any are drawn yet."""
    return sorted(run.figures.glob("*.png"))
