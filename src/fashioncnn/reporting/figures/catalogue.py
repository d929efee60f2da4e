"""Which figures a document has, by the names of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from fashioncnn.reporting.documents.audit import AuditDocument
from fashioncnn.reporting.documents.comparison import ComparisonDocument
from fashioncnn.reporting.documents.files import Document
from fashioncnn.reporting.documents.inside import Inside
from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.documents.study import StudyDocument

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fashioncnn.reporting.figures.sheet import Sheet

Maker = Callable[[], "Figure | Sheet"]
Named = tuple[str, Maker]


def makers_of(document: Document | Inside) -> dict[str, Maker]:
    """Return what draws each figure of `document`, by name, in the order of the page."""
    if isinstance(document, RunDocument):
        return dict([*_results(document), *_inside(document.inside)])
    if isinstance(document, Inside):
        return dict(_inside(document))
    if isinstance(document, ComparisonDocument):
        return dict(_comparison(document))
    if isinstance(document, StudyDocument):
        return dict(_study(document))
    return dict(_audit(document))


def _results(document: RunDocument) -> Iterator[Named]:
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

    names = [one.name for one in document.classes]
    found, results = document.inside, _scores_alone(document)
    if found.filters and found.feature_maps and found.feature_maps[0].maps.shape[2:]:
        first = Inside(found.class_names, found.pictures, found.filters[:1], found.feature_maps[:1])
        yield "overview", partial(overview.overview, replace(results, inside=first))
    yield "training_validation_loss", partial(curves.loss, document.curves)
    yield "training_validation_accuracy", partial(curves.accuracy, document.curves)
    if document.curves.accuracy_by_class:
        yield "learning_by_class", partial(learning.by_class, results)
    yield "confusion_matrix", partial(confusion.matrix, results)
    yield "f1_by_class", partial(per_class.f1, results)
    if document.confused and document.top_confusions:
        yield (
            "confused_pictures",
            partial(confused.pictures, document.confused, document.top_confusions, names),
        )
    if document.worst_mistakes:
        yield "worst_mistakes", partial(telling.sheet, document.worst_mistakes, names, "truly")
    if document.closest_right_answers:
        yield (
            "closest_right_answers",
            partial(telling.sheet, document.closest_right_answers, names, "or"),
        )
    if document.confidence and document.risk_coverage:
        yield "reliability", partial(confidence.reliability, document.confidence)
        yield (
            "risk_coverage",
            partial(confidence.coverage, document.risk_coverage, document.confidence),
        )
    if document.stress:
        yield "robustness", partial(robustness.curves, document.stress)


def _scores_alone(document: RunDocument) -> RunDocument:
    """Leave all but scores and curves out, so that more on the page leaves their figures alone."""
    return replace(
        document,
        confused=None,
        worst_mistakes=None,
        closest_right_answers=None,
        confidence=None,
        risk_coverage=None,
        cost=None,
        stress=None,
        unknown=(),
        inside=Inside(document.inside.class_names),
        provenance=(),
    )


def _inside(found: Inside) -> Iterator[Named]:
    from fashioncnn.reporting.figures import (
        attributions,
        embedding,
        feature_maps,
        filters,
        learning,
        path,
        units,
    )
    from fashioncnn.reporting.figures.pictures import on_dark

    names = found.class_names
    if found.learning and found.pictures:
        yield "learning", partial(learning.sheet, found.learning, found.pictures)
    if found.path and found.pictures:
        yield "path", partial(path.sheet, found.path, found.pictures, names)
    for one in found.filters:
        yield f"filters_{one.layer}", partial(filters.sheet, one)
    for maps in found.feature_maps:
        assert found.pictures
        yield f"feature_maps_{maps.layer}", partial(feature_maps.sheet, maps, found.pictures, names)
    if found.units:
        dark = found.pictures is not None and on_dark(found.pictures.images.values)
        yield "preferred_by_classes", partial(units.classes, found.units, names, dark)
        for sheet in found.units.sheets:
            yield f"units_{sheet.layer}", partial(units.sheet, sheet, dark)
    if found.attributions:
        yield "attributions", partial(attributions.maps, found.attributions, names)
        yield "attribution_curves", partial(attributions.curves, found.attributions)
    if found.embedding:
        yield "embedding", partial(embedding.chart, found.embedding, names)


def _comparison(document: ComparisonDocument) -> Iterator[Named]:
    from fashioncnn.reporting.figures import changed, effects

    yield "effects", partial(effects.forest, document.comparisons)
    for number, one in enumerate(document.comparisons, start=1):
        if any(found and found.images for found in (one.gained, one.lost)):
            yield f"changed_{number}", partial(changed.pictures, one, document.class_names)


def _study(document: StudyDocument) -> Iterator[Named]:
    from fashioncnn.reporting.figures import study

    yield "parallel", partial(study.parallel, document.trials, document.keys)
    yield "slices", partial(study.slices, document.trials, document.keys)
    yield "history", partial(study.history, document.trials)
    if document.importance:
        yield "importance", partial(study.importance, document.importance)


def _audit(document: AuditDocument) -> Iterator[Named]:
    from fashioncnn.reporting.figures import audit

    names = document.class_names
    for name in ("across", "alike_across", "alike_labelled_differently"):
        if pairs := getattr(document, name):
            yield f"pairs_{name}", partial(audit.pairs, pairs, names)
    for name in ("train", "test"):
        if found := getattr(document, name):
            yield f"{name}_candidates", partial(audit.candidates, found, names)
