"""Every figure of one evaluation, from `Predictions` alone, in float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from fashioncnn.errors import DataError
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.html_table import html_table

TOP_CONFUSIONS = 10


@dataclass(frozen=True)
class ClassScore:
    """Figures of one class, or of an average over classes; shares from 0 to 1.

    Precision without a prediction, and recall without a picture, count as 0.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


class ClassScores(tuple[ClassScore, ...]):
    """The figures of every class, by its number or by its name: scores.classes["Shirt"]."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del source
        plain = handler.generate_schema(tuple[ClassScore, ...])
        return core_schema.no_info_after_validator_function(cls, plain)

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> ClassScore: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[ClassScore, ...]: ...
    def __getitem__(self, key: SupportsIndex | str | slice) -> Any:
        """Raises KeyError for a name that there is not, IndexError for such a number."""
        if not isinstance(key, str):
            return super().__getitem__(key)
        for score in self:
            if score.name == key:
                return score
        raise KeyError(f"no class {key!r}; there are {', '.join(one.name for one in self)}")


@dataclass(frozen=True)
class Confusion:
    """`count` pictures of class `true` were taken for `predicted`: `share` of that class."""

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Scores:
    """`confusion[i][j]` counts pictures of class i that were taken for class j.

    `macro` weighs every class that has pictures alike, `weighted` by its support. `loss` is the
    mean cross-entropy.
    """

    n: int
    accuracy: float
    loss: float
    classes: ClassScores
    macro: ClassScore
    weighted: ClassScore
    confusion: tuple[tuple[int, ...], ...]
    top_confusions: tuple[Confusion, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for a table that has not a row and a column for each class."""
        if {len(self.confusion), *map(len, self.confusion)} != {len(self.classes)}:
            raise ValueError(f"the confusion matrix does not fit {len(self.classes)} classes")

    def metrics(self, split: str = "test") -> dict[str, float]:
        """Return the figures by name, such as "test/accuracy" and "test/f1/Shirt"."""
        named = {f"{split}/accuracy": self.accuracy, f"{split}/loss": self.loss}
        for average in (self.macro, self.weighted):
            for figure in ("precision", "recall", "f1"):
                named[f"{split}/{figure}_{average.name}"] = getattr(average, figure)
        for score in self.classes:
            for figure in ("precision", "recall", "f1"):
                named[f"{split}/{figure}/{score.name}"] = getattr(score, figure)
        return named

    def _repr_html_(self) -> str:
        rows = [
            [
                one.name,
                f"{one.precision:.4f}",
                f"{one.recall:.4f}",
                f"{one.f1:.4f}",
                f"{one.support:,}",
            ]
            for one in (*self.classes, self.macro, self.weighted)
        ]
        caption = f"accuracy {self.accuracy:.2%}, loss {self.loss:.4f}, {self.n:,} pictures"
        return html_table(caption, ("class", "precision", "recall", "F1", "pictures"), rows)

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scores:
        """Inverse of `to_json`; TypeError or KeyError when it is something else."""
        return cls(
            n=values["n"],
            accuracy=values["accuracy"],
            loss=values["loss"],
            classes=ClassScores(ClassScore(**score) for score in values["classes"]),
            macro=ClassScore(**values["macro"]),
            weighted=ClassScore(**values["weighted"]),
            confusion=tuple(tuple(row) for row in values["confusion"]),
            top_confusions=tuple(Confusion(**pair) for pair in values["top_confusions"]),
        )


def score(predictions: Predictions) -> Scores:
    """Compute every figure. Raises DataError when there are no pictures."""
    if not len(predictions.labels):
        raise DataError("there are no pictures to score")
    labels, predicted = predictions.labels, predictions.predicted
    names = predictions.class_names
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (labels, predicted), 1)

    right = confusion.diagonal()
    support = confusion.sum(axis=1)
    precision = _share(right, confusion.sum(axis=0))
    recall = _share(right, support)
    f1 = _share(2 * right, confusion.sum(axis=0) + support)
    log_probabilities = predictions.log_probabilities[np.arange(len(labels)), labels]
    return Scores(
        n=len(labels),
        accuracy=float(right.sum() / len(labels)),
        loss=float(-log_probabilities.mean()),
        classes=ClassScores(
            ClassScore(name, float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
            for i, name in enumerate(names)
        ),
        macro=_average("macro", precision, recall, f1, support, support > 0),
        weighted=_average("weighted", precision, recall, f1, support, support),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        top_confusions=tuple(_top_confusions(confusion, names)),
    )


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _average(
    name: str,
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
    f1: NDArray[np.float64],
    support: NDArray[np.int64],
    weights: NDArray[Any],
) -> ClassScore:
    def mean(values: NDArray[np.float64]) -> float:
        return float(np.average(values, weights=weights))

    return ClassScore(name, mean(precision), mean(recall), mean(f1), int(support.sum()))


def _top_confusions(confusion: NDArray[np.int64], names: tuple[str, ...]) -> Iterator[Confusion]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    # Stable, so that ties keep the order of the classes.
    order = np.argsort(-wrong, axis=None, kind="stable")
    for true, predicted in zip(*np.unravel_index(order[:TOP_CONFUSIONS], wrong.shape), strict=True):
        if count := int(wrong[true, predicted]):
            share = count / int(confusion[true].sum())
            yield Confusion(names[true], names[predicted], count, share)
