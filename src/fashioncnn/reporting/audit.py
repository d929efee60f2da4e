"""The page of a data audit: what was found, as pictures."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
from matplotlib.figure import Figure

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.style import DPI, SETTINGS, class_colours, ink_of
from fashioncnn.runs.files import write_bytes, write_text

PAIRS_SHOWN = 16
CANDIDATES_SHOWN = 40
COLUMNS = 8


def write(
    found: Mapping[str, Any], train: LabelledImages, test: LabelledImages, folder: Path
) -> Path:
    """Draw the figures into `folder` and write its audit.html; returns the page's path."""
    count = found["train_images"]
    across = [pair for pair in found["pairs"] if pair["first"] < count <= pair["second"]]
    sheets = {}
    with mpl.rc_context(SETTINGS):
        if across:
            sheets["across"] = _keep(folder / "pairs_across.png", _pairs(across, train, test))
        for name, pictures in (("train", train), ("test", test)):
            if some := found[f"{name}_candidates"][:CANDIDATES_SHOWN]:
                path = folder / f"{name}_candidates.png"
                sheets[name] = _keep(path, _candidates(some, pictures))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fashioncnn.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template("audit.html.j2").render(
        found=found,
        across=across,
        exact=sum(pair["rms"] == 0 for pair in found["pairs"]),
        sheets=sheets,
    )
    write_text(folder / "audit.html", html)
    return folder / "audit.html"


def _pairs(
    pairs: Sequence[Mapping[str, Any]], train: LabelledImages, test: LabelledImages
) -> Figure:
    shown = pairs[:PAIRS_SHOWN]
    columns = COLUMNS // 2
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(2.9 * columns, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2 * columns, squeeze=False).flat
    for axes in grid[2 * len(shown) :]:
        axes.set_visible(False)
    for number, pair in enumerate(shown):
        sides = ((train, pair["first"], "train"), (test, pair["second"] - len(train), "test"))
        for axes, (pictures, index, split) in zip(
            grid[2 * number : 2 * number + 2], sides, strict=True
        ):
            name = pictures.class_names[pictures.labels[index]]
            _picture(axes, pictures, index, name, f"{split} #{index}")
        grid[2 * number + 1].set_title(f"differ by {pair['rms']:.1f}", fontsize=7.5, loc="center")
    return figure


def _candidates(some: Sequence[Mapping[str, Any]], pictures: LabelledImages) -> Figure:
    rows = -(-len(some) // COLUMNS)
    figure = Figure(figsize=(1.32 * COLUMNS, 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes in grid[len(some) :]:
        axes.set_visible(False)
    for axes, one in zip(grid, some, strict=False):
        suggested = pictures.class_names[one["suggested"]]
        _picture(
            axes,
            pictures,
            one["index"],
            suggested,
            f"labelled {pictures.class_names[one['label']]}\n#{one['index']}",
        )
        axes.set_title(
            f"{suggested}? {one['suggested_probability']:.0%}",
            fontsize=7.5,
            loc="center",
            color=ink_of(class_colours(pictures.class_names)[suggested]),
            pad=3,
        )
    return figure


def _picture(axes: Any, pictures: LabelledImages, index: int, name: str, words: str) -> None:
    axes.imshow(pictures.images_NHW[index], cmap="gray_r", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(words, fontsize=7, labelpad=2)
    for spine in axes.spines.values():
        colour = class_colours(pictures.class_names)[name]
        spine.set(visible=True, color=colour, linewidth=1.6)


def _keep(path: Path, figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.1)
    write_bytes(path, buffer.getvalue())
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
