"""What is seen inside a network: a part of the page of runs, and what `explain` draws."""

from __future__ import annotations

from dataclasses import dataclass

from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs.contents import AttributionChecks, UnitFacts


@dataclass(frozen=True)
class ExplainedPictures:
    """The test pictures that the inside is shown for."""

    images: Tiles
    labels: tuple[int, ...]
    indices: tuple[int, ...]


@dataclass(frozen=True)
class FilterSheet:
    """The filters (output, input, height, width) of one convolution."""

    layer: str
    weights: Tiles


@dataclass(frozen=True)
class MapSheet:
    """What a layer makes of each explained picture: (pictures, channels, h, w) or features.

    `channels` are the numbers of those kept, the most varied of `channel_count`.
    """

    layer: str
    maps: Tiles
    channels: tuple[int, ...]
    channel_count: int


@dataclass(frozen=True)
class PathStage:
    """What one layer makes of the first picture: its strongest channels, or all features."""

    layer: str
    answer: Tiles
    channels: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class PathThroughNetwork:
    """The first explained picture on its way through the network, to its probabilities."""

    stages: tuple[PathStage, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class LearningLayer:
    """Maps (epochs, channels, h, w) of one layer for the first picture."""

    layer: str
    channels: tuple[int, ...]
    maps: Tiles


@dataclass(frozen=True)
class Learning:
    """First filters (epochs, filters, h, w) and some maps, after several epochs."""

    epochs: tuple[int, ...]
    filters: Tiles
    layers: tuple[LearningLayer, ...]


@dataclass(frozen=True)
class UnitSheet:
    """Of some channels of a layer: the picture each prefers, and what excites it most."""

    layer: str
    channels: tuple[int, ...]
    preferred: Tiles
    patches: Tiles


@dataclass(frozen=True)
class UnitsPart:
    """The channels of the network, and the picture that each class prefers."""

    facts: UnitFacts
    sheets: tuple[UnitSheet, ...]
    classes: Tiles


@dataclass(frozen=True)
class AttributionMap:
    """One column of maps (pictures, h, w): a method, its control, or what asks no network."""

    title: str
    failed: bool
    maps: Tiles
    scales: tuple[float, ...]


@dataclass(frozen=True)
class AttributionPart:
    """Maps of attribution beside their controls, and what the checks found."""

    checks: AttributionChecks
    images: Tiles
    labels: tuple[int, ...]
    predicted: tuple[int, ...]
    columns: tuple[AttributionMap, ...]


@dataclass(frozen=True)
class EmbeddingPart:
    """Places of test pictures on a map."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[int, ...]
    predicted: tuple[int, ...]


@dataclass(frozen=True)
class Inside:
    """What is seen inside a network; parts that were not made are None or empty."""

    class_names: tuple[str, ...]
    pictures: ExplainedPictures | None = None
    filters: tuple[FilterSheet, ...] = ()
    feature_maps: tuple[MapSheet, ...] = ()
    path: PathThroughNetwork | None = None
    learning: Learning | None = None
    units: UnitsPart | None = None
    attributions: AttributionPart | None = None
    embedding: EmbeddingPart | None = None
