"""What the JSON files of a run hold, as types; every file is checked against them."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypedDict

from fashioncnn.evaluation.out_of_distribution import Detection
from fashioncnn.evaluation.scores import Scores
from fashioncnn.explanation.map_check import MapCheck


@dataclass(frozen=True)
class ScoredCheckpoint:
    """The weights that were scored: "best" or "last", after so many epochs, and their SHA-256."""

    name: str
    epochs: int
    sha256: str


@dataclass(frozen=True)
class ScoredSplit(Scores):
    """scores.json: the figures of one split, and how they came about.

    `test_readings` counts how often the test split was read to score this run; `seconds` is what
    the `passes` over the pictures took.
    """

    split: str
    recipe: str
    seed: int
    checkpoint: ScoredCheckpoint
    test_readings: int
    views: str
    passes: int
    seconds: float


@dataclass(frozen=True)
class Cost:
    """cost.json: what the network costs to keep and to ask, one picture at a time, in fp32."""

    parameters: int
    weight_bytes: int
    macs: int
    p50_milliseconds: float
    p99_milliseconds: float
    hardware: str
    threads: int


@dataclass(frozen=True)
class Corrupted:
    """Accuracies on pictures made worse in one way, by strength in `unit`."""

    unit: str
    strengths: tuple[float, ...]
    accuracies: tuple[float, ...]


class BySign(TypedDict):
    """How well unknown pictures are noticed, by two signs of being unsure."""

    probability: Detection
    energy: Detection


@dataclass(frozen=True)
class Stress:
    """stress.json: worse test pictures, and `unknown` ones by kind and sign."""

    n: int
    accuracy: float
    corruptions: dict[str, Corrupted]
    unknown: dict[str, BySign]


@dataclass(frozen=True)
class UnknownPictures:
    """How well `n` pictures at `path` are noticed as unknown, by two signs."""

    path: str
    n: int
    probability: Detection
    energy: Detection


@dataclass(frozen=True)
class Unknown:
    """unknown.json: an answer for every path that was asked about."""

    asked: tuple[UnknownPictures, ...]


@dataclass(frozen=True)
class LayerUnits:
    """The channels of one layer: which are dead, which pairs alike, what one place sees."""

    channels: int
    dead: tuple[int, ...]
    alike: tuple[tuple[int, int], ...]
    field_pixels: int


@dataclass(frozen=True)
class UnitFacts:
    """units.json: the channels by layer, over `n` pictures."""

    n: int
    layers: dict[str, LayerUnits]


@dataclass(frozen=True)
class AttributionChecks:
    """attributions.json: what was found about each method, over `n` pictures."""

    n: int
    checks: dict[str, MapCheck]
