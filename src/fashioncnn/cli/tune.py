"""The verb `tune`: what is asked, and the answer in values and in words."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashioncnn.cli.options import (
    AddressOption,
    CpusOption,
    DataFolder,
    Device,
    DeviceOption,
    Executor,
    ExecutorOption,
    GpusOption,
    Json,
    LogOption,
    TrackOption,
    WorkersOption,
    answer,
    executor,
    space_names,
    trackers,
)
from fashioncnn.cli.tables import spread, table

if TYPE_CHECKING:
    from fashioncnn.tuning.ranking import Rank
    from fashioncnn.workflows.tune import Tuned

RANKS_SHOWN = 10
ONE_SEED = "with one seed each, this is of these networks: what another seed would do is not in it"


class Sampler(enum.StrEnum):
    """Who proposes settings."""

    GRID = "grid"
    TPE = "tpe"
    RANDOM = "random"


def tune(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE",
            help="A built-in space's name, or a TOML file.",
            autocompletion=space_names,
        ),
    ],
    sampler: Annotated[
        Sampler | None,
        typer.Option(help="Who proposes settings: grid for lists alone, else tpe."),
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", metavar="", hidden=True)] = False,
    trials: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=100_000, help="How many settings to try, else 30."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Train each so many times.")
    ] = 1,
    budget: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", min=0.01, help="Begin no setting after so long."),
    ] = None,
    workers: WorkersOption = 1,
    where: ExecutorOption = Executor.LOCAL,
    address: AddressOption = "auto",
    cpus: CpusOption = 1.0,
    gpus: GpusOption = 0.0,
    storage: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A database, in place of a file in the folder."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The study's folder, else studies/SPACE.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on where the same command was stopped.")
    ] = False,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    track: TrackOption = None,
    log: LogOption = None,
    as_json: Json = False,
) -> None:
    """Search for the best settings of a recipe.

    By validation accuracy, over several seeds.
    """
    if grid and sampler not in (None, Sampler.GRID):
        raise typer.BadParameter(f"--grid and --sampler {sampler} exclude each other")
    from fashioncnn.workflows.tune import tune as tune_space

    chosen = Sampler.GRID if grid else sampler
    tuned = tune_space(
        space,
        sampler=chosen.value if chosen else None,
        trials=trials,
        seeds=seeds,
        budget_minutes=budget,
        executor=executor(where, workers, address, cpus, gpus),
        storage=storage,
        out=out,
        resume=resume,
        data=data,
        device=device.value,
        track=trackers(track, log),
    )
    answer(as_json, values(tuned), words(tuned))


def values(tuned: Tuned) -> dict[str, Any]:
    """Return the ranking, where all lies, and what the best has on test."""
    return tuned.ranking.to_json() | {
        "folder": str(tuned.folder),
        "winner": str(tuned.winner),
        "report": str(tuned.page),
        "runs": [str(run.path) for run in tuned.runs],
        "pruned": tuned.pruned,
        "test_accuracies": list(tuned.test_accuracies),
    }


def words(tuned: Tuned) -> str:
    """Show the ranking, what each key is worth, and the winner."""
    ranking = tuned.ranking
    best, keys = ranking.best, list(ranking.best.setting)
    columns = [key.split(".")[-1] for key in keys]
    rows = [["setting", *columns, "accuracy", "95 % interval", "behind the best, points"]]
    rows += [
        [
            f"#{rank.number}",
            *(json.dumps(rank.setting[key]) for key in keys),
            f"{rank.accuracy:.2%}",
            f"[{100 * rank.low:.2f}, {100 * rank.high:.2f}]",
            _behind(rank),
        ]
        for rank in ranking.ranks[:RANKS_SHOWN]
    ]
    effects = [["key", "value", "its best", "accuracy", "behind the best, points"]]
    effects += [
        [
            one.key,
            json.dumps(one.value),
            f"#{one.rank.number}",
            f"{one.rank.accuracy:.2%}",
            _behind(one.rank),
        ]
        for one in ranking.values
    ]
    return "\n".join(
        [
            f"{len(ranking.ranks)} settings trained to the end, {tuned.pruned} given up early; "
            f"validation accuracy, {best.seeds} seed{'s' if best.seeds > 1 else ''} each",
            "",
            table(rows),
            "",
            table(effects),
            "* unlikely to be chance, corrected for all pairs of settings; "
            f"{len(ranking.ties)} cannot be told from the best",
            *([ONE_SEED] if best.seeds == 1 else []),
            "",
            f"the best on test, read once a run: {spread(tuned.test_accuracies)}",
            f"as a recipe: {tuned.winner}",
            f"The page: {tuned.page}",
        ]
    )


def _behind(one: Rank) -> str:
    if one.behind is None:
        return "the best"
    value, low, high = (100 * figure for figure in one.behind)
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]{'*' if one.distinguishable else ' '}"
