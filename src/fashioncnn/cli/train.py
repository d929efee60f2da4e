"""The verb train. Workflows are imported inside, so that --help is instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashioncnn.cli import tables
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
    Precision,
    RecipeName,
    SizeOption,
    TrackOption,
    WorkersOption,
    answer,
    as_size,
    executor,
    trackers,
)

if TYPE_CHECKING:
    from fashioncnn.runs.directory import Run


def train(
    recipe: RecipeName,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key, as optimizer.name=sgd."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Of everything random, else 0."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Train this many times: seeds 0, 1, …"),
    ] = None,
    data: DataFolder = None,
    size: SizeOption = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Runs go to DIR/<recipe>/<time>-s<seed>.")
    ] = Path("runs"),
    device: DeviceOption = Device.AUTO,
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic; auto leaves it to the recipe.")
    ] = Precision.AUTO,
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on where the same command was stopped.")
    ] = False,
    workers: WorkersOption = 1,
    where: ExecutorOption = Executor.LOCAL,
    address: AddressOption = "auto",
    cpus: CpusOption = 1.0,
    gpus: GpusOption = 0.0,
    report: Annotated[
        bool,
        typer.Option(
            "--report", metavar="", help="Afterwards evaluate on test and write the page."
        ),
    ] = False,
    track: TrackOption = None,
    log: LogOption = None,
    as_json: Json = False,
) -> None:
    """Train a network by a recipe."""
    if seed is not None and seeds is not None:
        raise typer.BadParameter("give --seed or --seeds, not both")
    from fashioncnn.opening.data import open_data
    from fashioncnn.workflows.train import is_first_process, train_seeds

    names = trackers(track, log)
    runs = train_seeds(
        recipe,
        seeds=[seed or 0] if seeds is None else range(seeds),
        changes=changes or (),
        data=open_data(data, as_size(size)),
        out=out,
        device=device.value,
        precision=precision.value,
        resume=resume,
        track=names,
        executor=executor(where, workers, address, cpus, gpus),
    )
    if not is_first_process():
        return
    page, tested = None, []
    if report:
        from fashioncnn.runs import artifacts
        from fashioncnn.workflows.report import report as write_page

        page = write_page(runs, data=data, device=device.value, track=names)
        file = artifacts.scores()
        tested = [file.read(run.path / file.path)[0].metrics() for run in runs]
    _tell(as_json, runs, page, tested)


def _tell(
    as_json: bool, runs: Sequence[Run], page: Path | None, tested: Sequence[Mapping[str, float]]
) -> None:
    """Print what validation and test say of the runs, and where the page is or how to have it."""
    from fashioncnn.evaluation.summary import summarise

    validated = [one for run in runs if (one := _validation(run.metrics))]
    paths = [str(run.path) for run in runs]
    values = {
        "runs": paths,
        "metrics": summarise(validated) | summarise(tested),
        "report": page and str(page),
    }
    text = tables.validation(validated)
    if page is None:
        text += f"\n\nNext, test scores and the page: fashioncnn report {' '.join(paths)}"
    else:
        text += f"\n{tables.tested(tested)}\nThe page: {page}"
    answer(as_json, values, text)


def _validation(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what the epoch that is best on validation scored there, if there was validation."""
    if not records or records[-1]["val/accuracy"] is None:
        return {}
    best = max(records, key=lambda record: (record["val/accuracy"], -record["val/loss"]))
    return {name: best[name] for name in ("val/accuracy", "val/loss")}
