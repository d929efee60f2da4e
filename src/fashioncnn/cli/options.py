"""Options that several verbs share, and how every verb answers."""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar, get_type_hints

import typer

if TYPE_CHECKING:
    from fashioncnn.executors.base import Executor as AnyExecutor
    from fashioncnn.tracking.trackers import TrackerName

# Where an answer goes while standard output is for nothing else; None: there.
_ANSWERS: ContextVar[TextIO | None] = ContextVar("answers", default=None)


class Device(enum.StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(enum.StrEnum):
    """Arithmetic of training."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class Split(enum.StrEnum):
    """Which pictures to score on."""

    TEST = "test"
    VALIDATION = "validation"


class Views(enum.StrEnum):
    """Ways in which every picture is seen."""

    PLAIN = "plain"
    FLIP = "flip"
    FLIP_SHIFT = "flip-shift"


class Checkpoint(enum.StrEnum):
    """Which weights of a run."""

    BEST = "best"
    LAST = "last"


class Tracker(enum.StrEnum):
    """Who gets a copy of a run."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


class Executor(enum.StrEnum):
    """Where trainings run."""

    LOCAL = "local"
    RAY = "ray"


def recipe_names(begun: str) -> list[str]:
    """Return the built-in recipes whose names begin so: for the shell's completion."""
    from fashioncnn.recipes.files import builtin_names

    return [name for name in builtin_names() if name.startswith(begun)]


def space_names(begun: str) -> list[str]:
    """Return the built-in spaces whose names begin so."""
    from fashioncnn.tuning.space import builtin_spaces

    return [name for name in builtin_spaces() if name.startswith(begun)]


def bundle_names(begun: str) -> list[str]:
    """Return the networks that come along whose names begin so."""
    from fashioncnn.bundles.shipped import shipped

    return [name for name in shipped() if name.startswith(begun)]


RecipeName = Annotated[
    str,
    typer.Argument(help="A built-in recipe's name, or a TOML file.", autocompletion=recipe_names),
]
Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Run directories, or folders of runs.")
]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="Print one JSON object, nothing else.")
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Pictures: folders, .npz, .csv, IDX files; else $FASHIONCNN_DATA, else Fashion-MNIST.",
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="PIXELS",
        help="Of pictures in several sizes: 28, or 48x64 (height x width).",
    ),
]
TrackOption = Annotated[
    list[Tracker] | None,
    typer.Option("--track", metavar="NAME", help="Copy to tensorboard or mlflow, too; repeatable."),
]
LogOption = Annotated[list[Tracker] | None, typer.Option("--log", hidden=True)]
ExecutorOption = Annotated[
    Executor, typer.Option("--executor", help="On this machine, or as tasks on a Ray cluster.")
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers", metavar="N", min=1, max=256, help="Processes that share the processor."
    ),
]
AddressOption = Annotated[
    str, typer.Option("--address", metavar="ADDRESS", help="Of the Ray cluster; auto: this node's.")
]
CpusOption = Annotated[
    float, typer.Option("--cpus", metavar="N", min=0.01, help="On the cluster, a training.")
]
GpusOption = Annotated[
    float, typer.Option("--gpus", metavar="N", min=0.0, help="On the cluster, a training.")
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where to compute.")]
CheckpointOption = Annotated[
    Checkpoint, typer.Option("--checkpoint", help="Best by validation, or last.")
]


QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", metavar="", help="Say nothing while working but errors.")
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", metavar="", help="Say what is read and drawn, and how long it takes."
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust", metavar="", help="Let Python files run that came with a run. Read them first."
    ),
]
F = TypeVar("F", bound=Callable[..., Any])


def as_size(text: str | None) -> tuple[int, int] | None:
    """Return "28" as (28, 28) and "48x64" as (48, 64). Ends with status 2 for something else."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(
        side.isdecimal() and len(side) < 4 and 8 <= int(side) <= 224 for side in sides
    ):
        raise typer.BadParameter(f"{text[:20]!r}: 8 to 224 pixels a side, as 28 or 48x64")
    return int(sides[0]), int(sides[-1])


def verb(app: typer.Typer, name: str | None = None, opens: str | None = None) -> Callable[[F], F]:
    """Register a command with the options that all have: how much to say while it works.

    `opens` is its argument that names runs, which may carry code; it then has --trust.
    """
    common = {"quiet": QuietOption, "verbose": VerboseOption}
    if opens:
        common["trust"] = TrustOption

    def register(function: F) -> F:
        @functools.wraps(function)
        def command(*, quiet: bool, verbose: bool, trust: bool = False, **given: Any) -> Any:
            if trust and opens and given[opens]:
                from fashioncnn.workflows.trust import is_in_run
                from fashioncnn.workflows.trust import trust as trust_runs

                named = given[opens] if isinstance(given[opens], list) else [given[opens]]
                # Where something else than runs may be named, only what is a run is meant.
                trust_runs([one for one in named if opens == "runs" or is_in_run(Path(one))])
            if quiet or verbose:
                from fashioncnn.console.say import say_as_much

                say_as_much(-1 if quiet else 1)
            if not given.get("as_json"):
                return function(**given)
            # What a user's own code prints is no part of the answer.
            answers = _ANSWERS.set(sys.stdout)
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    return function(**given)
            finally:
                _ANSWERS.reset(answers)

        hints = get_type_hints(function, include_extras=True)
        hints |= common
        added = [
            inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=False) for one in common
        ]
        parameters = [
            one.replace(annotation=hints[one.name])
            for one in (*inspect.signature(function).parameters.values(), *added)
        ]
        command.__annotations__ = hints
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        app.command(name)(command)
        return function

    return register


def executor(
    kind: Executor, workers: int, address: str, cpus: float, gpus: float
) -> AnyExecutor | None:
    """Return where to work. Raises BadParameter when options exclude each other."""
    if kind is Executor.LOCAL:
        if (address, cpus, gpus) != ("auto", 1.0, 0.0):
            raise typer.BadParameter("--address, --cpus and --gpus are for --executor ray")
        if workers == 1:
            return None
        from fashioncnn.executors.processes import Processes

        return Processes(workers)
    if workers > 1:
        raise typer.BadParameter("--workers is for --executor local; a cluster has its own")
    from fashioncnn.executors.ray import RayCluster

    return RayCluster(address, cpus, gpus)


def trackers(track: Sequence[Tracker] | None, log: Sequence[Tracker] | None) -> list[TrackerName]:
    """Return the trackers as workflows want them; `log` is what `track` was called."""
    return [one.value for one in (*(track or ()), *(log or ()))]


def answer(as_json: bool, values: dict[str, Any], text: str) -> None:
    """Print `values` for programs or `text` for people."""
    if as_json:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    if text:
        typer.echo(text, file=_ANSWERS.get())
