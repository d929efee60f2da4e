"""Everything a user can be told has gone wrong.

::

    FashionCNNError
    ├── DataError       the pictures are missing, damaged, or other pictures
    ├── RecipeError     a recipe, or a change to one, is not valid
    ├── RunError        a run directory cannot be used as asked
    ├── BundleError     a bundle is damaged, hostile, or cannot be made as asked
    ├── ExtraError      a part of the package that is not installed
    ├── ServingError    the server cannot start as asked
    ├── StorageError    the disk did not take or give a file
    ├── CodeError       a user's own Python file fails, or cannot be used as asked
    ├── TrustError      code that came with a run, and that nobody here has trusted
    ├── DeviceError     the device or precision asked for is not there
    ├── SpaceError      a search space is not valid
    ├── StudyError      a study cannot be opened or used as asked
    ├── TrackingError   an experiment tracker is not installed, or cannot be reached
    ├── BenchmarkError  a measurement cannot be made as asked
    ├── WorkerError     a process or cluster that was to do the work cannot
    ├── Diverged        the training loss is no longer a finite number
    ├── ProcessLost     of several that train together, one has ended
    ├── GivenUp         a setting is not worth more training
    └── Stopped         the user stopped the work; it can go on later

Each carries one message that names what is wrong, the value, and what is allowed. The command line
ends with `exit_status`: 2 for wrong input, 1 for what went wrong while working, 130 when stopped.
"""

import re

# Control characters, halves of characters, and what turns the direction of writing.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def reason(error: BaseException, line: int = 0, most: int = 200) -> str:
    """Return one line of what `error` says, cut and printable; its type where it says nothing."""
    lines = [one.strip() for one in str(error).splitlines() if one.strip()]
    said = lines[line][:most] if lines else type(error).__name__
    return printable(said)


def printable(text: str) -> str:
    """Return `text` with what a terminal would obey written as its escape; lines stay."""
    return OBEYED.sub(lambda found: repr(found[0])[1:-1], text)


class FashionCNNError(Exception):
    """Base of all; `exit_status` is what the command line ends with."""

    exit_status = 2


class DataError(FashionCNNError):
    """The pictures are missing, damaged, or other pictures."""


class RecipeError(FashionCNNError):
    """A recipe, or a change to one, is not valid. The message lists every fault."""


class RunError(FashionCNNError):
    """A run directory cannot be used as asked."""


class BundleError(FashionCNNError):
    """A bundle is damaged, hostile, or cannot be made as asked."""


class ExtraError(FashionCNNError):
    """A part of the package that is not installed; the message says how to install it."""


class ServingError(FashionCNNError):
    """The server cannot start as asked."""


class StorageError(FashionCNNError):
    """The disk did not take or give a file."""

    exit_status = 1

    @classmethod
    def from_os_error(cls, action: str, path: object, error: OSError) -> "StorageError":
        """Say that `action` on `path` failed, and the system's reason."""
        return cls(f"cannot {action} {path}: {error.strerror or error}")


class CodeError(FashionCNNError):
    """A user's own Python file fails, or cannot be used as asked. The message has its lines."""


class TrustError(FashionCNNError):
    """Code that came with a run, and that nobody here has trusted. Nothing of it was run."""


class DeviceError(FashionCNNError):
    """The device or the precision asked for is not there."""


class SpaceError(FashionCNNError):
    """A search space is not valid. The message lists every fault."""


class StudyError(FashionCNNError):
    """A study cannot be opened or used as asked."""


class TrackingError(FashionCNNError):
    """An experiment tracker is not installed, or cannot be reached or written."""


class BenchmarkError(FashionCNNError):
    """A measurement cannot be made as asked."""


class WorkerError(FashionCNNError):
    """A process or a cluster that was to do the work cannot be had, or has failed."""

    exit_status = 1


class Diverged(FashionCNNError):
    """The training loss is no longer a finite number."""

    exit_status = 1


class ProcessLost(FashionCNNError):
    """Of several processes that train together, one has ended or cannot be reached."""

    exit_status = 1


class GivenUp(FashionCNNError):
    """A setting is not worth more training; what it came to is kept."""

    exit_status = 1


class Stopped(FashionCNNError):
    """The user stopped the work; the message says how to go on."""

    exit_status = 130
