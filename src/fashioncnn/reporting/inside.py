"""From a run's explanations to the document's part about the inside of its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fashioncnn.npz import Arrays
from fashioncnn.reporting.documents.inside import (
    AttributionMap,
    AttributionPart,
    EmbeddingPart,
    ExplainedPictures,
    FilterSheet,
    Inside,
    Learning,
    LearningLayer,
    MapSheet,
    PathStage,
    PathThroughNetwork,
    UnitSheet,
    UnitsPart,
)
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs import artifacts
from fashioncnn.runs.artifact import Kept

SHEET_CHANNELS = 16
PATH_CHANNELS = 6
T = TypeVar("T")


def inside(kept: Kept, class_names: Sequence[str]) -> Inside:
    """Return what the run has of these weights; what does not fit together is left out."""
    count = len(class_names)
    pictures = part(lambda: _pictures(kept, count))
    found = Inside(class_names=tuple(class_names), pictures=pictures)
    filters = part(lambda: _filters(kept)) or ()
    if pictures is None:
        return Inside(tuple(class_names), filters=filters)
    return Inside(
        class_names=found.class_names,
        pictures=pictures,
        filters=filters,
        feature_maps=part(lambda: _feature_maps(kept, len(pictures.labels))) or (),
        path=part(lambda: _path(kept)),
        learning=part(lambda: _learning(kept)),
        units=part(lambda: _units(kept, count)),
        attributions=part(lambda: _attributions(kept, count)),
        embedding=part(lambda: _embedding(kept, count)),
    )


def part(make: Callable[[], T]) -> T | None:
    """Return what `make` returns; None where files, each whole, do not fit together."""
    try:
        return make()
    except (KeyError, IndexError, ValueError):
        return None


def numbers(values: NDArray[Any]) -> tuple[int, ...]:
    """Return an array (n,) as whole numbers."""
    return tuple(int(value) for value in values)


def shares(values: NDArray[Any]) -> tuple[float, ...]:
    """Return an array (n,) as numbers of some six digits, which is more than is ever shown."""
    return tuple(float(f"{value:.6g}") for value in values)


def classes_of(values: NDArray[Any], class_count: int) -> tuple[int, ...]:
    """Return an array (n,) of classes. Raises ValueError when one is not a class."""
    if values.size and not 0 <= values.min() <= values.max() < class_count:
        raise ValueError(f"a class beyond {class_count - 1}")
    return numbers(values)


def limits(maps: NDArray[Any]) -> tuple[float, float]:
    """Return the ends of the colour scale: all but the most extreme hundredth at either end."""
    low, high = np.percentile(maps, (1, 99))
    return float(low), float(high) if high > low else float(low) + 1.0


def _pictures(kept: Kept, class_count: int) -> ExplainedPictures | None:
    if (found := kept.get(artifacts.EXPLAINED_PICTURES)) is None:
        return None
    return ExplainedPictures(
        Tiles.of(found["images"]),
        classes_of(found["labels"], class_count),
        numbers(found["indices"]),
    )


def _filters(kept: Kept) -> tuple[FilterSheet, ...]:
    found = kept.get(artifacts.FILTERS) or {}
    sheets = []
    for layer, weights in found.items():
        # A few large weights must not make all others pale.
        largest = float(np.percentile(np.abs(weights), 99.5)) or 1.0
        sheets.append(FilterSheet(layer, Tiles.of(weights, -largest, largest)))
    return tuple(sheets)


def _feature_maps(kept: Kept, picture_count: int) -> tuple[MapSheet, ...]:
    found = kept.get(artifacts.FEATURE_MAPS) or {}
    sheets = []
    for layer, maps in found.items():
        if maps.ndim not in (2, 4) or len(maps) != picture_count:
            raise ValueError(f"{layer}: maps of another shape")
        channels = np.arange(maps.shape[1])
        if maps.ndim == 4:
            spread = maps.std(axis=(0, 2, 3))
            channels = np.sort(np.argsort(-spread, kind="stable")[:SHEET_CHANNELS])
        shown = Tiles.of(maps[:, channels], *limits(maps))
        sheets.append(MapSheet(layer, shown, numbers(channels), maps.shape[1]))
    return tuple(sheets)


def _path(kept: Kept) -> PathThroughNetwork | None:
    pictures, maps = kept.get(artifacts.EXPLAINED_PICTURES), kept.get(artifacts.FEATURE_MAPS)
    if pictures is None or maps is None:
        return None
    stages = []
    for layer in map(str, pictures["stages"]):
        answer, ends = maps[layer][0], limits(maps[layer])
        channels = np.arange(len(answer))
        if answer.ndim == 3:
            channels = np.argsort(-answer.mean((1, 2)), kind="stable")[:PATH_CHANNELS]
        kept_part = Tiles.of(answer[channels], *ends)
        stages.append(PathStage(layer, kept_part, numbers(channels), answer.shape))
    return PathThroughNetwork(tuple(stages), shares(pictures["probabilities"][0]))


def _learning(kept: Kept) -> Learning | None:
    found = kept.get(artifacts.LEARNING)
    if found is None or len(found["epochs"]) < 2 or not found["filters"].size:
        return None
    largest = float(np.abs(found["filters"]).max(initial=0)) or 1.0
    layers = []
    for name in (name for name in found if name.startswith("maps ")):
        layer, maps = name.removeprefix("maps "), found[name]
        channels = numbers(found[f"channels {layer}"])
        layers.append(LearningLayer(layer, channels, Tiles.of(maps, *limits(maps))))
    filters = Tiles.of(found["filters"], -largest, largest)
    return Learning(numbers(found["epochs"]), filters, tuple(layers))


def _units(kept: Kept, class_count: int) -> UnitsPart | None:
    found, facts = kept.get(artifacts.UNITS), kept.get(artifacts.UNIT_FACTS)
    if found is None or facts is None:
        return None
    if len(found["classes"]) != class_count:
        raise ValueError("pictures of other classes")
    sheets = tuple(_unit_sheet(layer, found) for layer in facts.layers)
    return UnitsPart(facts, sheets, Tiles.of(found["classes"], 0.0, 1.0))


def _unit_sheet(layer: str, found: Arrays) -> UnitSheet:
    preferred, patches = found[f"preferred {layer}"], found[f"patches {layer}"]
    channels = found[f"channels {layer}"]
    if not len(preferred) == len(patches) == len(channels):
        raise ValueError(f"{layer}: not a picture for every channel")
    return UnitSheet(layer, numbers(channels), Tiles.of(preferred), Tiles.of(patches))


def _attributions(kept: Kept, class_count: int) -> AttributionPart | None:
    checks, found = kept.get(artifacts.ATTRIBUTION_CHECKS), kept.get(artifacts.ATTRIBUTIONS)
    if checks is None or found is None:
        return None
    columns = []
    for name in (name.removeprefix("map ") for name in found if name.startswith("map ")):
        failed = bool(checks.checks[name].failures)
        columns.append(_column(name, found[f"map {name}"], failed))
        columns.append(_column("random\nweights", found[f"control {name}"]))
    columns += [_column("edges", found["edges"]), _column("noise", found["random"])]
    return AttributionPart(
        checks,
        Tiles.of(found["images"]),
        classes_of(found["labels"], class_count),
        classes_of(found["predicted"], class_count),
        tuple(columns),
    )


def _column(title: str, maps: NDArray[Any], failed: bool = False) -> AttributionMap:
    """Keep maps (n, h, w), each on a scale of its own, symmetric about zero."""
    scales = np.abs(maps).reshape(len(maps), -1).max(axis=1)
    scales[scales == 0] = 1.0
    return AttributionMap(
        title, failed, Tiles.of(maps / scales[:, None, None], -1.0, 1.0), shares(scales)
    )


def _embedding(kept: Kept, class_count: int) -> EmbeddingPart | None:
    if (found := kept.get(artifacts.EMBEDDING)) is None:
        return None
    return EmbeddingPart(
        tuple(round(float(x), 3) for x in found["places"][:, 0]),
        tuple(round(float(y), 3) for y in found["places"][:, 1]),
        classes_of(found["labels"], class_count),
        classes_of(found["predicted"], class_count),
    )
