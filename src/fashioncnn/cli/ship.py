"""The verbs that ship a network: export, serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashioncnn.cli.options import DataFolder, Json, answer


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where the bundle goes; else in the run."),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", metavar="", help="In eight bits: smaller, often faster.")
    ] = False,
    int8_bound: Annotated[
        float,
        typer.Option(
            "--int8-bound", metavar="POINTS", min=0, max=100, help="What int8 may lose on test."
        ),
    ] = 0.3,
    maps: Annotated[
        bool, typer.Option("--maps", metavar="", help="Feature maps of each stage come out, too.")
    ] = False,
    opset: Annotated[
        int, typer.Option("--opset", metavar="N", min=18, max=23, help="Of ONNX.")
    ] = 20,
    license: Annotated[  # noqa: A002
        str | None,
        typer.Option(metavar="TEXT", help="Of the weights; MIT for those of Fashion-MNIST."),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Upload it to the Hugging Face hub, too."),
    ] = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Write a network as a bundle that answers wherever ONNX runs.

    One ONNX file with the preparation inside, weights, a model card; checked against PyTorch.
    """
    from fashioncnn.workflows.export import export as export_run

    bundle = export_run(
        run,
        out,
        int8=int8,
        int8_bound_points=int8_bound,
        maps=maps,
        opset=opset,
        license=license,
        push=push,
        data=data,
    )
    facts, size = bundle.facts, len(bundle.model)
    lines = [
        f"The bundle: {bundle.path} ({facts.precision}, {size / 1e6:.2f} MB)",
        f"Like PyTorch on {facts.parity.images:,} pictures: no answer changed, probabilities "
        f"differ by {facts.parity.largest_difference:.1e} at most",
    ]
    if told := facts.quantised:
        lines.append(
            f"int8: test accuracy {told.accuracy:.4f} ({told.accuracy_points:+.2f} points), "
            f"{told.bytes / told.fp32_bytes:.2f} of the size; speed in {bundle.path / 'speed.json'}"
        )
    values = {"bundle": str(bundle.path), "bytes": size} | facts.model_dump(mode="json")
    answer(as_json, values, "\n".join(lines))
