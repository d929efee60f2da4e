"""The page of runs of one recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fashioncnn.evaluation.confidence import Confidence
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.out_of_distribution import Detection
from fashioncnn.evaluation.scores import Confusion
from fashioncnn.reporting.documents.inside import Inside
from fashioncnn.reporting.documents.parts import MeanStd, Pairs
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs.contents import Cost, Stress


@dataclass(frozen=True)
class ClassRow:
    """Figures of one class, shares; `colour` is that of the class in every figure."""

    name: str
    colour: str
    support: int
    precision: MeanStd
    recall: MeanStd
    f1: MeanStd
    f1_interval: Interval
    reported_f1: float | None


@dataclass(frozen=True)
class Mistakes:
    """How many wrong answers there are, within groups of classes that look alike, and across."""

    all: float
    within: tuple[tuple[str, float], ...]
    across: float


@dataclass(frozen=True)
class ReportedRow:
    """A figure as the published system reports it, beside ours, and a plain verdict."""

    name: str
    reported: float
    mean: float
    std: float | None
    verdict: str


@dataclass(frozen=True)
class Curves:
    """Training and validation by epoch, a list a run; `selection` tells from where hard ones."""

    loss: dict[str, tuple[tuple[float, ...], ...]]
    accuracy: dict[str, tuple[tuple[float, ...], ...]]
    accuracy_by_class: tuple[tuple[float, ...], ...] | None
    full_epochs: int | None
    kept_share: float | None


@dataclass(frozen=True)
class ConfusedPictures:
    """The surest wrong answers of the most frequent confusions."""

    images: Tiles
    indices: tuple[int, ...]
    labels: tuple[int, ...]
    predicted: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class TellingPictures:
    """Single pictures: the answer, another class, and the probabilities of both."""

    images: Tiles
    indices: tuple[int, ...]
    answers: tuple[int, ...]
    others: tuple[int, ...]
    answer_probabilities: tuple[float, ...]
    other_probabilities: tuple[float, ...]


@dataclass(frozen=True)
class RiskCoverageCurve:
    """The share of wrong answers by the share of pictures answered, the surest first."""

    coverage: tuple[float, ...]
    risk: tuple[float, ...]


@dataclass(frozen=True)
class UnknownRow:
    """How well pictures of one kind are noticed as unknown, by two signs."""

    name: str
    probability: Detection
    energy: Detection


@dataclass(frozen=True)
class RecipePart:
    """The recipe: name, summary, how many networks answer together, and the whole as TOML."""

    name: str
    summary: str
    members: int
    toml: str


@dataclass(frozen=True)
class RunDocument:
    """The page of runs of one recipe. Shares are from 0 to 1; test figures are means over runs.

    `explorer` is the address of the page in which the first run's network runs, seen from this one.
    """

    kind: Literal["runs"]
    recipe: RecipePart
    data_name: str
    n: int
    accuracy: MeanStd
    accuracy_interval: Interval
    loss: MeanStd
    f1_macro: MeanStd
    seconds: float
    epochs: int
    hardware: str
    precision: str
    classes: tuple[ClassRow, ...]
    weakest: str
    mistakes: Mistakes
    top_confusions: tuple[Confusion, ...]
    confusion: tuple[tuple[float, ...], ...]
    reported: tuple[ReportedRow, ...]
    curves: Curves
    confused: ConfusedPictures | None
    worst_mistakes: TellingPictures | None
    closest_right_answers: TellingPictures | None
    confidence: Confidence | None
    risk_coverage: RiskCoverageCurve | None
    cost: Cost | None
    stress: Stress | None
    unknown: tuple[UnknownRow, ...]
    inside: Inside
    explorer: str | None
    provenance: Pairs
