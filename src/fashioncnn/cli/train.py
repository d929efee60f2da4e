"""The verb train. Workflows are imported inside, so that --help is instant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    answer,
    cluster,
    names,
)

if TYPE_CHECKING:
    from fashioncnn.runs.directory import Run


def train(
    recipe: Annotated[str, typer.Argument(help="A built-in recipe's name, or a TOML file.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key, as optimizer.name=sgd."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Of everything random.  [default: 0]")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Train this many times: seeds 0, 1, …")
    ] = None,
    data: DataFolder = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Runs go to DIR/<recipe>/<time>-s<seed>.")
    ] = Path("runs"),
    device: DeviceOption = Device.AUTO,
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic; auto leaves it to the recipe.")
    ] = Precision.AUTO,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was stopped.")
    ] = False,
    executor: ExecutorOption = Executor.LOCAL,
    address: AddressOption = "auto",
    cpus: CpusOption = 1.0,
    gpus: GpusOption = 0.0,
    report: Annotated[
        bool, typer.Option("--report", help="Afterwards evaluate on test and write the page.")
    ] = False,
    log: LogOption = None,
    as_json: Json = False,
) -> None:
    """Train a network by a recipe."""
    if seed is not None and seeds is not None:
        raise typer.BadParameter("give --seed or --seeds, not both")
    from fashioncnn.evaluation.summary import summarise
    from fashioncnn.workflows.evaluate import evaluate
    from fashioncnn.workflows.train import is_first_process

    run_seeds: Callable[..., list[Run]]
    if chosen := cluster(executor, address, cpus, gpus):
        from fashioncnn.workflows.train_ray import train_seeds_on_cluster

        run_seeds = partial(train_seeds_on_cluster, cluster=chosen)
    else:
        from fashioncnn.workflows.train import train_seeds as run_seeds
    runs = run_seeds(
        recipe,
        seeds=[seed or 0] if seeds is None else range(seeds),
        changes=changes or (),
        data=data,
        out=out,
        device=device.value,
        precision=precision.value,
        resume=resume,
        log=names(log),
    )
    if not is_first_process():
        return
    scores = [
        evaluate(run, split="validation", data=data, device=device.value)
        for run in runs
        if run.provenance["split"]["validation_images"]
    ]
    paths = [str(run.path) for run in runs]
    page = None
    if report:
        from fashioncnn.workflows.report import report as write_page

        page = write_page(runs, data=data, device=device.value, log=names(log))
    values = {
        "runs": paths,
        "metrics": summarise([score.metrics("val") for score in scores]) if scores else {},
        "report": page and str(page),
    }
    text = tables.validation(scores)
    if page is None:
        text += f"\n\nNext, test scores and the page: fashioncnn report {' '.join(paths)}"
    else:
        text += f"\n\nThe page: {page}"
    answer(as_json, values, text)
