"""The page of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fashioncnn.reporting.documents.parts import Pairs
from fashioncnn.tuning.ranking import BestOfValue, Rank


@dataclass(frozen=True)
class Trial:
    """A setting that was tried: to its end, or given up after `epochs`.

    `accuracy` is None where there was a `fault` at once.
    """

    number: int
    setting: dict[str, Any]
    complete: bool
    accuracy: float | None
    epochs: int
    fault: str


@dataclass(frozen=True)
class StudyDocument:
    """The page of a study: what was tried, in which order it comes, what keys are worth."""

    kind: Literal["study"]
    name: str
    summary: str
    keys: tuple[str, ...]
    trials: tuple[Trial, ...]
    ranks: tuple[Rank, ...]
    values: tuple[BestOfValue, ...]
    test: str
    importance: dict[str, float]
    provenance: Pairs
