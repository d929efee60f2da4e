"""The trackers that a user asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import get_args

from fashioncnn.errors import Stopped, TrackingError
from fashioncnn.runs.directory import Run
from fashioncnn.tracking.tracker import Record, Status, Tracker, TrackerName

__all__ = ["TrackerName", "Trackers", "check", "copy_run", "copying"]


def check(names: Sequence[TrackerName]) -> None:
    """Raise TrackingError unless every tracker is installed and can be reached."""
    if isinstance(names, str):
        raise TrackingError(f"track is {names!r}; it must be a list, as [{names!r}]")
    for name in names:
        if name not in get_args(TrackerName):
            known = " or ".join(get_args(TrackerName))
            raise TrackingError(f"--track {name}: it must be {known}")
        if find_spec(name) is None:
            raise TrackingError(
                f"--track {name}: the package {name} is not installed; "
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
                    f"fashioncnn report {self._run.path} --track {name}"
                )


@contextmanager
def copying(
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


def copy_run(names: Sequence[TrackerName], run: Run, tell: Callable[[str], None]) -> None:
    """Copy a finished run. Raises TrackingError as `copying` does."""
    with copying(names, run, tell) as trackers:
        trackers.epochs(run.metrics)
