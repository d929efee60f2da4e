"""The page of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fashioncnn.evaluation.intervals import Interval
from fashioncnn.reporting.documents.parts import MeanStd, Pairs
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs.contents import Stress


@dataclass(frozen=True)
class Effect:
    """A difference in points between two groups, a share, with its interval."""

    name: str
    difference: float
    low: float
    high: float
    adjusted_p_value: float


@dataclass(frozen=True)
class ChangedPictures:
    """Test pictures whose answers changed most; how many runs had each right, as shares."""

    images: Tiles | None
    indices: tuple[int, ...]
    true: tuple[str, ...]
    right_before: tuple[float, ...]
    right_after: tuple[float, ...]


@dataclass(frozen=True)
class ComparedPart:
    """One comparison with the first group."""

    reference: str
    other: str
    changes: tuple[str, ...]
    verdict: str
    distinguishable: bool
    runs: tuple[int, int]
    accuracies: tuple[float, float]
    accuracy: Effect
    runs_needed: int | None
    f1: tuple[Effect, ...]
    gained_count: float
    lost_count: float
    gained: ChangedPictures | None
    lost: ChangedPictures | None


@dataclass(frozen=True)
class GroupPart:
    """One group of runs in a comparison."""

    name: str
    n: int
    accuracy: MeanStd
    interval: Interval
    f1_macro: MeanStd
    loss: MeanStd
    f1_by_class: tuple[MeanStd, ...]
    parameters: int | None
    seconds: float
    stress: Stress | None
    provenance: Pairs


@dataclass(frozen=True)
class ComparisonDocument:
    """The page of a comparison: every group with the first."""

    kind: Literal["comparison"]
    title: str
    class_names: tuple[str, ...]
    groups: tuple[GroupPart, ...]
    comparisons: tuple[ComparedPart, ...]
