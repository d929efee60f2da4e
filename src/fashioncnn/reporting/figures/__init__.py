"""The figures of a report: each file draws one kind, `keep` makes files of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fashioncnn.reporting.facts import Group, RunFacts
from fashioncnn.reporting.figures.figure_files import keep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Named = tuple[str, Callable[[], "Figure"]]


def draw(group: Group, folder: Path) -> list[Path]:
    """Draw the results of `group` into `folder`; return the PNG files.

    The figures of the inside of its first run come along from that run's own folder, where
    `draw_explanations` left them; what is missing there is drawn.
    """
    results = [keep(name, make, folder) for name, make in _results(group)]
    inside = group.first.run.figures
    for name, make in _insides(group.first):
        path = inside / f"{name}.png"
        whole = path.exists() and path.with_suffix(".svg").exists()
        results.append(path if whole else keep(name, make, inside))
    return results


def draw_explanations(run: RunFacts, only: str = "") -> list[Path]:
    """Draw what is known of the inside into the run's own folder; return the PNG files.

    `only` those whose names begin so.
    """
    wanted = [(name, make) for name, make in _insides(run) if name.startswith(only)]
    return [keep(name, make, run.run.figures) for name, make in wanted]


def _results(group: Group) -> Iterator[Named]:
    from fashioncnn.reporting.figures import (
        confidence,
        confused,
        confusion,
        curves,
        learning,
        overview,
        per_class,
        robustness,
        telling,
    )

    yield "training_validation_loss", lambda: curves.loss(group)
    yield "training_validation_accuracy", lambda: curves.accuracy(group)
    if group.curves("val/accuracy_by_class"):
        yield "learning_by_class", lambda: learning.by_class(group)
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
    if group.first.filters and group.first.feature_maps:
        yield "overview", lambda: overview.overview(group)


def _insides(run: RunFacts) -> Iterator[Named]:
    from functools import partial

    from fashioncnn.reporting.figures import (
        attributions,
        embedding,
        feature_maps,
        filters,
        learning,
        path,
        units,
    )

    if run.pictures and run.learning and len(run.learning["epochs"]) > 1:
        yield "learning", partial(learning.sheet, run)
    if run.pictures and run.feature_maps:
        yield "path", partial(path.sheet, run)
    for layer in run.filters or ():
        yield f"filters_{layer}", partial(filters.sheet, run, layer)
    for layer in run.feature_maps or ():
        yield f"feature_maps_{layer}", partial(feature_maps.sheet, run, layer)
    if run.units and run.unit_facts and run.scores:
        yield "made_up_classes", partial(units.classes, run)
        for layer in run.unit_facts["layers"]:
            yield f"units_{layer}", partial(units.sheet, run, layer)
    if run.attributions and run.scores:
        yield "attributions", partial(attributions.maps, run)
        yield "attribution_curves", partial(attributions.curves, run)
    if run.embedding and run.scores:
        yield "embedding", partial(embedding.chart, run)
