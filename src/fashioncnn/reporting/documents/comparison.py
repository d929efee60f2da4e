"""The page of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fashioncnn.evaluation.intervals import Interval
from fashioncnn.html_table import html_table
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

    def _repr_html_(self) -> str:
        rows = [
            [
                one.name,
                f"{100 * one.difference:+.2f}",
                f"[{100 * one.low:+.2f}, {100 * one.high:+.2f}]",
                f"{one.adjusted_p_value:.3f}",
            ]
            for one in (self.accuracy, *self.f1)
        ]
        heading = ("difference of", "points", "95 % interval", "p, corrected")
        return html_table(f"{self.verdict}.", heading, rows)


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
