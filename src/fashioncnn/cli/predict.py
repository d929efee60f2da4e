"""The verb `predict`: what a network says of pictures of one's own."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashioncnn.cli.options import Device, DeviceOption, Json, answer
from fashioncnn.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fashioncnn.evaluation.answers import Prediction


def predict(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] PICTURE...",
            help="A run or a bundle, else the network that comes along; files, folders, patterns, "
            "- for standard input.",
        ),
    ],
    top: Annotated[int, typer.Option(metavar="N", min=1, help="Classes to name.")] = 3,
    not_sure_below: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0, max=1, help="Less probable answers are not given."),
    ] = None,
    show: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw each step and the reasons, as PNG.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answers as a table, too.")
    ] = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Say what is on pictures of your own.

    Photographs of clothes are cut out and made as Fashion-MNIST's pictures are.
    """
    if csv and show and os.path.realpath(csv) == os.path.realpath(show):
        raise typer.BadParameter(f"--csv and --show are both {csv}")
    from fashioncnn.bundles.bundle import is_bundle
    from fashioncnn.runs.directory import is_run
    from fashioncnn.workflows.predict import check_output
    from fashioncnn.workflows.predict import predict as predict_pictures

    first = Path(pictures[0])
    run = first if is_run(first) or is_bundle(first) else None
    found = predict_pictures(
        pictures[1:] if run else pictures,
        run,
        top=top,
        not_sure_below=not_sure_below,
        show=show,
        device=device.value,
    )
    if csv is not None:
        check_output(csv, [one.picture for one in found])
        _write_csv(Path(os.path.realpath(csv)), found)
    if not as_json:
        for one in found:
            if one.fault:
                typer.echo(printable(f"error: {one.fault}"), err=True)
    answer(as_json, {"pictures": [asdict(one) for one in found]}, _words(found))
    faulty = [one.picture for one in found if one.fault]
    # What a folder or a pattern brings is told and left out; what is named has to be answered. A
    # pattern that the shell has replaced names its files.
    if len(faulty) == len(found) or set(faulty) & set(pictures):
        raise typer.Exit(2)


def _words(found: Sequence[Prediction]) -> str:
    lines = []
    for one in (one for one in found if not one.fault):
        classes = ", ".join(f"{name} {value:.0%}" for name, value in one.probabilities)
        said = one.answer or "not sure"
        lines.append("; ".join([f"{one.picture}: {said} ({classes})", *one.warnings]))
    # A file may have a line's end in its name.
    return printable("\n".join(line.replace("\n", "\\n") for line in lines))


def _write_csv(path: Path, found: Sequence[Prediction]) -> None:
    import csv
    import io

    from fashioncnn.runs.files import write_text

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["picture", "answer", "class", "probability", "energy", "warnings", "fault"])
    for one in found:
        name, value = one.probabilities[0] if one.probabilities else ("", "")
        warnings = "; ".join(one.warnings)
        writer.writerow(
            [one.picture, one.answer or "", name, value, one.energy, warnings, one.fault or ""]
        )
    write_text(path, text.getvalue())
