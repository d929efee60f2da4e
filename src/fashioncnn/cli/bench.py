"""The verbs that measure: bench machine, bench speed, bench predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashioncnn.cli import bench_tables
from fashioncnn.cli.options import (
    Checkpoint,
    CheckpointOption,
    DataFolder,
    Device,
    DeviceOption,
    Json,
    Precision,
    RecipeName,
    answer,
    recipe_names,
    verb,
)

app = typer.Typer(no_args_is_help=True)


@verb(app)
def machine(device: DeviceOption = Device.AUTO, as_json: Json = False) -> None:
    """Measure what this machine can do at best.

    Matrix products and memory.
    """
    from fashioncnn.workflows.bench_machine import bench_machine

    measured = bench_machine(device=device.value)
    answer(as_json, measured.to_json(), bench_tables.machine(measured))


@verb(app)
def speed(
    recipes: Annotated[
        list[str],
        typer.Argument(metavar="RECIPE...", help="Names or files.", autocompletion=recipe_names),
    ],
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Trainings of each recipe.")
    ] = 10,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="PEER", help="Alternate with this peer, as ordinary; repeatable."),
    ] = None,
    peer_seeds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Trainings of each peer, else as many.")
    ] = None,
    peers: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The peers' scripts, else benchmarks/peers of a clone."),
    ] = None,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic; auto leaves it to the recipes.")
    ] = Precision.AUTO,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Results go to DIR/<recipe>.json.")
    ] = Path("bench"),
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on after the seeds that DIR holds.")
    ] = False,
    warm: Annotated[
        bool,
        typer.Option("--warm", metavar="", help="One process, begun before it counts: for GPUs."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure recipes over seeds: time, accuracy, cost.

    Beside other ways to train, if wanted.
    """
    from fashioncnn.runs.files import read_json
    from fashioncnn.workflows.bench_speed import bench_speed

    files = bench_speed(
        recipes,
        seeds=seeds,
        against=against or (),
        peer_seeds=peer_seeds,
        data=data,
        device=device.value,
        precision=precision.value,
        out=out,
        peers=peers,
        resume=resume,
        warm=warm,
    )
    results = {name: read_json(file) for name, file in files.items()}
    text = bench_tables.speed(list(results.values())) + "\n\n" + "\n".join(map(str, files.values()))
    answer(as_json, {"results": results}, text)


@verb(app)
def record(
    recipe: RecipeName,
    percent: Annotated[
        float, typer.Option(metavar="PERCENT", min=0, max=100, help="The test accuracy to reach.")
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="RECIPE", help="The previous record: a recipe, or its entry."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Trainings of each; ten at least.")
    ] = 10,
    ordinary_seeds: Annotated[
        int, typer.Option(metavar="N", min=0, help="Trainings of the ordinary way beside it.")
    ] = 3,
    peers: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The peers' scripts, else benchmarks/peers of a clone."),
    ] = None,
    measured: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Results of one bench speed, if there.")
    ] = None,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Entries go below.")] = Path("records"),
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on after the seeds that are measured.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decide whether a recipe is the fastest to an accuracy.

    Measures it beside the previous record, and writes the entry. Ends with status 1 where it is
    none.
    """
    from fashioncnn.workflows.bench_record import bench_record

    found = bench_record(
        recipe,
        percent=percent,
        against=against,
        seeds=seeds,
        ordinary_seeds=ordinary_seeds,
        data=data,
        device=device.value,
        out=out,
        peers=peers,
        measured=measured,
        resume=resume,
    )
    values = found.to_json() | {"folder": str(found.folder) if found.folder else None}
    answer(as_json, values, bench_tables.record(found))
    if found.reasons:
        raise typer.Exit(1)


@verb(app, opens="run")
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    batch_sizes: Annotated[
        list[int] | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            max=60_000,
            help="Repeatable; else 1, 64 and 1024.",
        ),
    ] = None,
    checkpoint: CheckpointOption = Checkpoint.BEST,
    device: DeviceOption = Device.AUTO,
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic; auto is bf16 where there are instructions.")
    ] = Precision.FP32,
    as_json: Json = False,
) -> None:
    """Measure how fast a trained network answers.

    Images per second, and latency.
    """
    from fashioncnn.workflows.bench_predict import BATCH_SIZES, bench_predict

    measured = bench_predict(
        run,
        batch_sizes=batch_sizes or BATCH_SIZES,
        checkpoint=checkpoint.value,
        device=device.value,
        precision=precision.value,
    )
    answer(as_json, measured, bench_tables.prediction_speed(measured))
