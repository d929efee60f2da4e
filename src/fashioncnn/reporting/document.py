"""What pages say, as typed documents: `report.json` is one of them, and its page draws it alone.

All are written and read as JSON; docs/report.md names their parts.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from fashioncnn.errors import RunError
from fashioncnn.evaluation.confidence import Confidence
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.out_of_distribution import Detection
from fashioncnn.evaluation.scores import Confusion
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs.contents import AttributionChecks, Cost, Stress, UnitFacts
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text

FORM = 1
MAX_BYTES = 64 << 20
D = TypeVar("D")
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MeanStd:
    """A mean over runs, and the sample standard deviation where there are several."""

    mean: float
    std: float | None


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


@dataclass(frozen=True)
class RecipePart:
    """The recipe: name, summary, how many networks answer together, and the whole as TOML."""

    name: str
    summary: str
    members: int
    toml: str


@dataclass(frozen=True)
class RunDocument:
    """The page of runs of one recipe. Shares are from 0 to 1; test figures are means over runs."""

    kind: Literal["runs"]
    recipe: RecipePart
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
    provenance: Pairs


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
class RankRow:
    """A setting in its place; `behind` is how much less than the best, with its interval."""

    number: int
    setting: dict[str, Any]
    seeds: int
    accuracy: float
    low: float
    high: float
    behind: tuple[float, float, float] | None
    distinguishable: bool | None


@dataclass(frozen=True)
class ValueRow:
    """A value of a key, and the best setting that has it."""

    key: str
    value: Any
    rank: RankRow


@dataclass(frozen=True)
class StudyDocument:
    """The page of a study: what was tried, in which order it comes, what keys are worth."""

    kind: Literal["study"]
    name: str
    summary: str
    keys: tuple[str, ...]
    trials: tuple[Trial, ...]
    ranks: tuple[RankRow, ...]
    values: tuple[ValueRow, ...]
    test: str
    importance: dict[str, float]
    provenance: Pairs


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


Document = RunDocument | ComparisonDocument | StudyDocument | AuditDocument
KINDS: dict[str, type[Any]] = {
    "runs": RunDocument,
    "comparison": ComparisonDocument,
    "study": StudyDocument,
    "audit": AuditDocument,
}


@functools.cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(globals()[kind])


def write(document: Document, path: Path) -> Path:
    """Put `document` at `path` as JSON. Raises StorageError."""
    make_folder(path.parent)
    values = pydantic_core.to_jsonable_python(document)
    write_text(path, to_json({"form": FORM} | values))
    return path


def read(path: Path, kind: type[D]) -> D:
    """Return the document of that kind at `path`. Raises RunError when it is something else."""
    found = read_json(path, MAX_BYTES)
    try:
        document: D = _adapter(kind.__name__).validate_python(found)
        return document
    except (ValidationError, RecursionError):
        raise RunError(f"{path}: not the {kind.__name__} that a page is drawn from") from None
