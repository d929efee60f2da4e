"""The figures of a report. Each file draws one kind; this one keeps them as SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashioncnn.reporting.facts import Group, RunFacts
from fashioncnn.reporting.style import DPI, SETTINGS
from fashioncnn.runs.files import make_folder, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PADDING = 0.1
Named = tuple[str, Callable[[], "Figure"]]


def draw(group: Group, folder: Path) -> list[Path]:
    """Draw the results of `group` into `folder`; return the PNG files.

    The figures of the inside of its first run come along from that run's own folder, where
    `draw_explanations` left them; what is missing there is drawn.
    """
    results = [_keep(name, make, folder) for name, make in _results(group)]
    inside = group.first.run.figures
    for name, make in _insides(group.first):
        path = inside / f"{name}.png"
        whole = path.exists() and path.with_suffix(".svg").exists()
        results.append(path if whole else _keep(name, make, inside))
    return results


def draw_comparison(comparisons: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Draw what changed from group to group into `folder`; return the PNG file."""
    from fashioncnn.reporting.figures import effects

    return _keep("effects", lambda: effects.forest(comparisons), folder)


def draw_explanations(run: RunFacts) -> list[Path]:
    """Draw filters and feature maps into the run's own folder; return the PNG files."""
    return [_keep(name, make, run.run.figures) for name, make in _insides(run)]


def draw_attributions(run: RunFacts) -> list[Path]:
    """Draw maps of attribution, their checks and the map of pictures into the run's folder."""
    return [_keep(name, make, run.run.figures) for name, make in _maps(run)]


def _maps(run: RunFacts) -> Iterator[Named]:
    from fashioncnn.reporting.figures import attributions, embedding

    if run.attributions:
        yield "attributions", lambda: attributions.maps(run)
        yield "attribution_curves", lambda: attributions.curves(run)
    if run.embedding:
        yield "embedding", lambda: embedding.chart(run)


def _results(group: Group) -> Iterator[Named]:
    from fashioncnn.reporting.figures import (
        confidence,
        confused,
        confusion,
        curves,
        overview,
        per_class,
        robustness,
        telling,
    )

    yield "training_validation_loss", lambda: curves.loss(group)
    yield "training_validation_accuracy", lambda: curves.accuracy(group)
    yield "confusion_matrix", lambda: confusion.matrix(group)
    yield "f1_by_class", lambda: per_class.f1(group)
    if group.first.confused is not None and len(group.first.confused["labels"]):
        yield "confused_pictures", lambda: confused.pictures(group.first)
    if group.first.telling is not None:
        kinds = set(group.first.telling["kind"].tolist())
        if 0 in kinds:
            yield "worst_mistakes", lambda: telling.worst(group.first)
        if 1 in kinds:
            yield "closest_right_answers", lambda: telling.closest(group.first)
    if group.first.confidence:
        yield "reliability", lambda: confidence.reliability(group.first)
        yield "risk_coverage", lambda: confidence.coverage(group.first)
    if group.first.stress:
        yield "robustness", lambda: robustness.curves(group.first)
    yield from _maps(group.first)
    if group.first.filters and group.first.feature_maps:
        yield "overview", lambda: overview.overview(group)


def _insides(run: RunFacts) -> Iterator[Named]:
    from functools import partial

    from fashioncnn.reporting.figures import feature_maps, filters, units

    for layer in run.filters or ():
        yield f"filters_{layer}", partial(filters.sheet, run, layer)
    for layer in run.feature_maps or ():
        yield f"feature_maps_{layer}", partial(feature_maps.sheet, run, layer)
    if run.units and run.unit_facts and run.scores:
        yield "made_up_classes", partial(units.classes, run)
        for layer in run.unit_facts["layers"]:
            yield f"units_{layer}", partial(units.sheet, run, layer)


def _keep(name: str, make: Callable[[], Figure], folder: Path) -> Path:
    import matplotlib as mpl
    from PIL import Image

    make_folder(folder)
    with mpl.rc_context(SETTINGS):
        figure = make()
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=DPI, bbox_inches="tight", pad_inches=PADDING)
        # 256 colours are plenty for a figure, and a third of the bytes.
        picture = Image.open(png).convert("RGB").quantize(256)
        png = io.BytesIO()
        picture.save(png, "PNG")
        write_bytes(folder / f"{name}.png", png.getvalue())
        # Laid out once: the second file has everything where the first has it.
        figure.set_layout_engine("none")
        svg = io.BytesIO()
        figure.savefig(
            svg, format="svg", bbox_inches="tight", pad_inches=PADDING, metadata={"Date": None}
        )
        write_bytes(folder / f"{name}.svg", svg.getvalue())
    return folder / f"{name}.png"
