"""The verbs and their options. Workflows are imported inside, so that --help is instant."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fashioncnn.cli import bench, tables
from fashioncnn.cli.evaluate import evaluate
from fashioncnn.cli.options import (
    Checkpoint,
    CheckpointOption,
    DataFolder,
    Device,
    DeviceOption,
    Json,
    LogOption,
    Runs,
    SizeOption,
    TrackOption,
    answer,
    as_size,
    trackers,
    verb,
)
from fashioncnn.cli.own import check, new
from fashioncnn.cli.predict import predict
from fashioncnn.cli.ship import explore, export, serve
from fashioncnn.cli.train import train
from fashioncnn.cli.tune import tune

app = typer.Typer(
    help="Train, evaluate and explain convolutional networks on Fashion-MNIST.",
    no_args_is_help=True,
    # Rich would double the time that help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(no_args_is_help=True)
app.add_typer(data_app, name="data", help="Get Fashion-MNIST; look at any pictures.")
app.add_typer(bench.app, name="bench", help="Measure a machine, training, predicting.")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Print the version.")
    ] = False,
) -> None:
    if version:
        from fashioncnn import __version__

        typer.echo(__version__)
        raise typer.Exit


@verb(data_app, "fetch")
def data_fetch(
    from_folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take it from this folder, into the cache."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find or download Fashion-MNIST and verify it."""
    from fashioncnn.workflows.fetch import fetch_data

    source = fetch_data(from_folder)
    answer(
        as_json,
        {"folder": str(source.folder), "origin": source.origin},
        f"Fashion-MNIST is intact in {source.folder} ({source.origin})",
    )


@verb(data_app, "check")
def data_check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with IDX files.")],
    as_json: Json = False,
) -> None:
    """Say what lies in a folder and whether it is Fashion-MNIST, intact."""
    from fashioncnn.workflows.fetch import check_data

    verdicts = check_data(folder)
    intact = all(verdict == "intact" for verdict in verdicts.values())
    answer(
        as_json,
        {"folder": str(folder), "intact": intact, "files": verdicts},
        "\n".join(f"{name}: {verdict}" for name, verdict in verdicts.items()),
    )
    if not intact:
        raise typer.Exit(2)


@verb(data_app, "show")
def data_show(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[SOURCE]", help="Folders, .npz, .csv, IDX; else Fashion-MNIST."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Draw samples, as PNG.")
    ] = None,
    size: SizeOption = None,
    as_json: Json = False,
) -> None:
    """Count the pictures of any source, and say what is odd.

    Samples by class, near-empty classes, copies across splits, mixed sizes.
    """
    from fashioncnn.workflows.show_data import show_data

    found = show_data(source, sheet=out, size=as_size(size))
    answer(as_json, asdict(found), tables.data(found))


@verb(data_app, "import")
def data_import(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folders, .npz, .csv or IDX files.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="PATH", help="A new folder, or a .npz file.")
    ],
    size: SizeOption = None,
    as_json: Json = False,
) -> None:
    """Write any source of pictures as folders or as .npz."""
    from fashioncnn.workflows.import_data import import_data

    written = import_data(source, out, size=as_size(size))
    facts = written.facts()
    answer(
        as_json,
        facts,
        f"{written.name}: {facts['train_images']:,} training pictures, "
        f"{len(facts['class_names'])} classes, {written.shape}, in {out}",
    )


@verb(data_app, "audit", opens="runs")
def data_audit(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Score these without the doubtful pictures, too."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Trains five times to judge the labels.")] = "fast-92",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of everything random.")] = 0,
    data: DataFolder = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the page goes.")] = Path("audit"),
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Look for copies across the splits and for labels that may be wrong."""
    from fashioncnn.workflows.audit import audit

    found = audit(runs or (), recipe=recipe, seed=seed, data=data, out=out, device=device.value)
    page = out / "report.html"
    answer(as_json, {"page": str(page)} | found.to_json(), tables.audit(found, page))


@verb(app)
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe as TOML.")] = None,
    keys: Annotated[
        bool, typer.Option("--keys", metavar="", help="List every key: bounds, default, meaning.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the built-in recipes, or print one.

    Or list what a recipe may say.
    """
    from fashioncnn.recipes.files import builtin_names, read_tables, read_text

    builtin = builtin_names()
    if keys:
        from fashioncnn.recipes.keys import keys as all_keys

        every = all_keys()
        answer(as_json, {"keys": [asdict(key) for key in every]}, tables.keys(every))
    elif name is None:
        values = {"recipes": [_complete(one) for one in builtin]} if as_json else {}
        answer(as_json, values, tables.recipes([read_tables(one) for one in builtin]))
    else:
        # Those that are built in are sound, and printed without PyTorch.
        text = read_text(name).rstrip()
        values = _complete(name) if as_json or name not in builtin else {}
        answer(as_json, values, text)


def _complete(recipe: str) -> dict[str, Any]:
    """Return a recipe with every default. Raises RecipeError with all its faults."""
    from fashioncnn.recipes.load import load

    return load(recipe, run_code=False).model_dump(mode="json", exclude_none=True)


verb(app, opens="recipe")(train)
verb(app, opens="runs")(evaluate)
verb(app, opens="pictures")(predict)
verb(app)(tune)
verb(app)(new)
verb(app, opens="target")(check)
verb(app, opens="run")(export)
verb(app)(serve)
verb(app, opens="runs")(explore)


@verb(app, opens="runs")
def explain(
    runs: Runs,
    pictures: Annotated[
        list[int] | None,
        typer.Option("--picture", metavar="INDEX", help="A test picture's number; repeatable."),
    ] = None,
    per_class: Annotated[
        int, typer.Option(metavar="N", min=1, max=10, help="Pictures of every class.")
    ] = 1,
    checkpoint: CheckpointOption = Checkpoint.BEST,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Draw what a network looks for in pictures.

    Its filters, feature maps, and what each channel and class answers to most strongly.
    """
    from fashioncnn.opening.runs import open_runs
    from fashioncnn.workflows.explain import explain as explain_run

    drawn: list[str] = []
    for run in open_runs(runs):
        paths = explain_run(
            run,
            pictures=pictures or (),
            per_class=per_class,
            checkpoint=checkpoint.value,
            data=data,
            device=device.value,
        )
        drawn.extend(str(path) for path in paths)
    answer(as_json, {"figures": drawn}, "\n".join(drawn))


@verb(app, opens="runs")
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="Runs, or folders of runs of one recipe each; all are compared with the first.",
        ),
    ],
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Say which of several runs is better, and how sure that is.

    Runs of one recipe with several seeds are one group.
    """
    from fashioncnn.workflows.compare import compare as compare_runs

    compared = compare_runs(runs, data=data, device=device.value)
    values = {"comparisons": [asdict(one) for one in compared]}
    answer(as_json, values, "\n\n".join(map(tables.compared, compared)))


@verb(app, opens="runs")
def report(
    runs: Runs,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the page goes; else in the run.")
    ] = None,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    full: Annotated[
        bool,
        typer.Option("--full", metavar="", help="Also worse and unknown pictures, attribution."),
    ] = False,
    track: TrackOption = None,
    log: LogOption = None,
    as_json: Json = False,
) -> None:
    """Write one page about runs.

    Evaluates and explains them first where that is not done.
    """
    from fashioncnn.workflows.report import report as report_runs

    names = trackers(track, log)
    page = report_runs(runs, out=out, data=data, device=device.value, full=full, track=names)
    answer(as_json, {"report": str(page)}, f"The page: {page}")
