"""The page of a data audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fashioncnn.reporting.tiles import Tiles


@dataclass(frozen=True)
class PairPart:
    """Two pictures with what tells how near they are; `split` and `index` of each."""

    splits: tuple[str, str]
    indices: tuple[int, int]
    labels: tuple[int, int]
    words: str


@dataclass(frozen=True)
class PairSheet:
    """Pairs of pictures, images (pairs, 2, h, w)."""

    pairs: tuple[PairPart, ...]
    images: Tiles


@dataclass(frozen=True)
class CandidateSheet:
    """Pictures whose labels a person should look at."""

    indices: tuple[int, ...]
    labels: tuple[int, ...]
    suggested: tuple[int, ...]
    suggested_probabilities: tuple[float, ...]
    images: Tiles


@dataclass(frozen=True)
class AuditedRun:
    """A run's accuracy on all test pictures, and without the candidates."""

    run: str
    accuracy: float
    accuracy_without_candidates: float


@dataclass(frozen=True)
class AuditDocument:
    """The page of a data audit."""

    kind: Literal["audit"]
    class_names: tuple[str, ...]
    picture_count: int
    train_count: int
    test_count: int
    exact_copies: int
    near_across: int
    train_candidates: int
    test_candidates: int
    scores: tuple[AuditedRun, ...]
    across: PairSheet | None
    alike_across: PairSheet | None
    alike_labelled_differently: PairSheet | None
    train: CandidateSheet | None
    test: CandidateSheet | None
