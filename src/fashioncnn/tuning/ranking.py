"""The answer of a study: its settings in order, with intervals, and what each key is worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fashioncnn.evaluation.paired import SIGNIFICANCE, compare
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.html_table import html_table
from fashioncnn.tuning.setting import Setting


@dataclass(frozen=True)
class Tried:
    """A setting that was trained to the end: what each seed's network answers on validation."""

    number: int
    setting: Setting
    predictions: tuple[Predictions, ...]

    @property
    def accuracy(self) -> float:
        """The mean over the seeds, a share."""
        return float(np.mean([(one.predicted == one.labels).mean() for one in self.predictions]))


@dataclass(frozen=True)
class Rank:
    """A setting in its place. Accuracies are shares, on validation, the mean over the seeds.

    `low` and `high` are its 95 % interval over pictures and seeds. `behind` is how much less than
    the best it has, with its own interval; `distinguishable` whether that is unlikely to be chance,
    corrected for all pairs of settings (Bonferroni). Both are None for the best.
    """

    number: int
    setting: Setting
    seeds: int
    accuracy: float
    low: float
    high: float
    behind: tuple[float, float, float] | None
    distinguishable: bool | None


@dataclass(frozen=True)
class BestOfValue:
    """One value of one key, and the best setting that has it."""

    key: str
    value: Any
    rank: Rank


@dataclass(frozen=True)
class Ranking:
    """Settings, the best first, and for each key the best that each of its values came to."""

    ranks: tuple[Rank, ...]
    values: tuple[BestOfValue, ...]

    @property
    def best(self) -> Rank:
        """The setting with the highest mean validation accuracy."""
        return self.ranks[0]

    @property
    def ties(self) -> list[Rank]:
        """The settings that these runs cannot tell from the best."""
        return [rank for rank in self.ranks[1:] if not rank.distinguishable]

    def _repr_html_(self) -> str:
        rows = []
        for place, one in enumerate(self.ranks, start=1):
            gap = "" if one.behind is None else f"{100 * one.behind[0]:+.2f}"
            setting = ", ".join(f"{key} {json.dumps(value)}" for key, value in one.setting.items())
            interval = f"[{one.low:.2%}, {one.high:.2%}]"
            rows.append([str(place), setting, f"{one.accuracy:.2%}", interval, gap])
        heading = ("place", "setting", "accuracy", "95 % interval", "behind, points")
        return html_table(f"{len(self.ranks)} settings, on validation", heading, rows)

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values."""
        return asdict(self)


def rank(tried: Sequence[Tried], keys: Sequence[str]) -> Ranking:
    """Order `tried` by accuracy and compare each with the best. Raises RunError as `compare`."""
    ordered = sorted(tried, key=lambda one: (-one.accuracy, one.number))
    best, others = ordered[0], ordered[1:]
    found = compare(best.predictions, [one.predictions for one in others]) if others else []
    # Which is the best is found on the same pictures, so that any pair might have been compared.
    pairs = len(ordered) * len(others) // 2
    ranks = [_rank(best, None, None)]
    for one, result in zip(others, found, strict=True):
        gap = result.difference
        ranks.append(
            _rank(one, (gap.value, gap.low, gap.high), result.p_value * pairs < SIGNIFICANCE)
        )
    return Ranking(tuple(ranks), tuple(_best_of_values(ranks, keys)))


def _rank(
    one: Tried, behind: tuple[float, float, float] | None, distinguishable: bool | None
) -> Rank:
    interval = intervals(one.predictions, "val")["val/accuracy"]
    return Rank(
        one.number,
        one.setting,
        len(one.predictions),
        interval.value,
        interval.low,
        interval.high,
        behind,
        distinguishable,
    )


def _best_of_values(ranks: Sequence[Rank], keys: Sequence[str]) -> list[BestOfValue]:
    found: dict[str, BestOfValue] = {}
    for key in keys:
        for one in ranks:
            value = one.setting[key]
            found.setdefault(f"{key} {json.dumps(value)}", BestOfValue(key, value, one))
    return list(found.values())
