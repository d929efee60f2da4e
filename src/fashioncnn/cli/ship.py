"""The verbs that ship a network: export, serve, explore."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashioncnn.cli.options import DataFolder, Json, answer, bundle_names

if TYPE_CHECKING:
    from fashioncnn.bundles.bundle import Bundle

TOKEN_VARIABLE = "FASHIONCNN_TOKEN"


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
    explorer: Annotated[
        bool | None,
        typer.Option(
            "--explorer/--no-explorer",
            help="With the page that runs it, which holds pictures; else unless pushed.",
        ),
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
        explorer=explorer,
        data=data,
    )
    values = {"bundle": str(bundle.path), "bytes": len(bundle.model)}
    answer(as_json, values | bundle.facts.model_dump(mode="json"), _words(bundle))


def _words(bundle: Bundle) -> str:
    facts = bundle.facts
    lines = [
        f"The bundle: {bundle.path} ({facts.precision}, {len(bundle.model) / 1e6:.2f} MB)",
        f"Like PyTorch on {facts.parity.images:,} pictures: no answer changed, probabilities "
        f"differ by {facts.parity.largest_difference:.1e} at most",
    ]
    if told := facts.quantised:
        lines.append(
            f"int8: test accuracy {told.accuracy:.4f} ({told.accuracy_points:+.2f} points), "
            f"{told.bytes / told.fp32_bytes:.2f} of the size; speed in {bundle.path / 'speed.json'}"
        )
    return "\n".join(lines)


def serve(
    bundles: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE...",
            help="Bundles, or NAME=BUNDLE.",
            autocompletion=bundle_names,
        ),
    ],
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where to listen; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="0: any.")] = 8000,
    threads: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="That compute one batch.")
    ] = 1,
    queue: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="Requests that wait; else 429.")
    ] = 128,
    batch: Annotated[
        int, typer.Option(metavar="N", min=1, max=4096, help="Pictures answered at once.")
    ] = 64,
    max_body_mb: Annotated[
        int, typer.Option(metavar="MB", min=1, max=1024, help="Of one request.")
    ] = 16,
    max_megapixels: Annotated[
        int, typer.Option(metavar="N", min=1, max=50, help="Of one picture.")
    ] = 16,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=TOKEN_VARIABLE,
            metavar="SECRET",
            help="Clients must bring it; better in $FASHIONCNN_TOKEN than typed.",
        ),
    ] = None,
    log_requests: Annotated[
        bool, typer.Option(help="A line of JSON on standard error for each request.")
    ] = True,
) -> None:
    """Answer over HTTP, without PyTorch.

    POST /predict, the Open Inference Protocol, metrics, a page. SIGHUP opens the bundles anew.
    """
    from fashioncnn.serving.limits import Limits
    from fashioncnn.workflows.serve import serve as serve_bundles

    if token is None:
        # Click takes an empty variable for none, which would leave the server open.
        token = os.environ.get(TOKEN_VARIABLE)
    limits = Limits(
        body_bytes=max_body_mb << 20,
        queue_bytes=max(64, 2 * max_body_mb) << 20,
        pixels=max_megapixels * 1_000_000,
        queue=queue,
        batch=batch,
    )
    serve_bundles(
        bundles,
        host=host,
        port=port,
        limits=limits,
        threads=threads,
        token=token,
        log_requests=log_requests,
    )


def explore(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Run directories; several stand side by side."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where the page goes; else in the run."),
    ] = None,
    epochs: Annotated[
        list[int] | None,
        typer.Option(
            "--epoch", metavar="N", min=0, help="The first run's network then, too; repeatable."
        ),
    ] = None,
    pictures: Annotated[
        int, typer.Option(metavar="N", min=1, max=2000, help="Test pictures that come along.")
    ] = 200,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Write one page in which a network runs before your eyes.

    It opens offline: draw, photograph or choose a picture, and look into every channel.
    """
    from fashioncnn.workflows.explore import explore as explore_runs

    page = explore_runs(runs, out, epochs=epochs or (), pictures=pictures, data=data)
    size = page.stat().st_size
    answer(as_json, {"page": str(page), "bytes": size}, f"The page: {page} ({size / 1e6:.2f} MB)")
