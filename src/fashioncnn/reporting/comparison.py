"""From groups of runs, each compared with the first, to the document of their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashioncnn.evaluation.intervals import wider
from fashioncnn.evaluation.paired import Comparison, apart, compare, holm, possible
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import differences, intervals
from fashioncnn.reporting.documents.comparison import (
    ChangedPictures,
    ComparedPart,
    ComparisonDocument,
    Effect,
    GroupPart,
)
from fashioncnn.reporting.groups import Group
from fashioncnn.reporting.provenance import provenance
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs import artifacts

TITLE = "Which is better?"
PICTURES_TOLD = 12
# Test pictures of a class; see `f1_effects`.
FEW = 50


@dataclass(frozen=True)
class Named:
    """A group of runs as the page calls it; `changes` are of its recipe, from the first's."""

    name: str
    changes: tuple[str, ...]
    group: Group


def comparison_document(
    named: Sequence[Named], test_NHWC: NDArray[np.uint8] | None, title: str = TITLE
) -> ComparisonDocument:
    """Compare each group with the first; `test_NHWC` are the pictures to show, if any.

    Two single runs are compared by McNemar's exact test, groups by the paired bootstrap over
    pictures and seeds; Holm's correction keeps the chance of one false alarm at 5 %. Raises
    RunError when the runs were not scored on the same pictures.
    """
    first, *others = named
    found = compare(_predictions(first), [_predictions(one) for one in others])
    return ComparisonDocument(
        kind="comparison",
        title=title,
        class_names=first.group.class_names,
        groups=tuple(_group(one) for one in named),
        comparisons=tuple(
            _compared(first, one, result, test_NHWC)
            for one, result in zip(others, found, strict=True)
        ),
    )


def verdict(reference: str, other: str, one: Comparison) -> str:
    """Say in one sentence which is better, by how much; or that one cannot tell, and what could."""
    gap = 100 * one.difference.value
    bounds = [100 * one.difference.low, 100 * one.difference.high]
    if one.distinguishable:
        better, worse = other, reference
        if gap < 0:
            better, worse, gap, bounds = worse, better, -gap, [-bounds[1], -bounds[0]]
        words = f"{better} is better than {worse} by {gap:.2f} points "
        words += f"[{bounds[0]:.2f}, {bounds[1]:.2f}]"
        if max(one.runs) == 1:
            return words + ", these two runs: other seeds may differ"
        return words + (_borrowed(one) if min(one.runs) == 1 else "")
    runs = f"these {one.runs[0]} + {one.runs[1]} runs"
    words = f"{other} and {reference} are not distinguishable with {runs}"
    words += f" (difference {gap:+.2f} points [{bounds[0]:.2f}, {bounds[1]:.2f}])"
    if one.runs_needed is not None:
        needed = f"about {one.runs_needed} + {one.runs_needed}"
        return words + f"; were the true difference that large, {needed} would tell"
    if max(one.runs) == 1:
        return words + "; several seeds of each would say how many are needed"
    return words + "; a difference this small takes more pictures, not more runs"


def _borrowed(one: Comparison) -> str:
    return f", if seeds of the single run vary as those of the {max(one.runs)} do"


def _predictions(one: Named) -> list[Predictions]:
    return [run.predictions for run in one.group.runs]


def _group(one: Named) -> GroupPart:
    group = one.group
    cost = group.first.kept.get(artifacts.COST)
    return GroupPart(
        name=one.name,
        n=len(group.runs),
        accuracy=group.mean_std("test/accuracy"),
        interval=group.intervals["test/accuracy"],
        f1_macro=group.mean_std("test/f1_macro"),
        loss=group.mean_std("test/loss"),
        f1_by_class=tuple(group.mean_std(f"test/f1/{name}") for name in group.class_names),
        parameters=cost.parameters if cost else None,
        seconds=group.seconds,
        stress=group.first.kept.get(artifacts.STRESS),
        provenance=provenance(group),
    )


def _compared(
    first: Named, other: Named, result: Comparison, test_NHWC: NDArray[np.uint8] | None
) -> ComparedPart:
    before, after = _right(first), _right(other)
    gain = after - before
    order = np.argsort(-gain, kind="stable")
    gained, lost = order[gain[order] > 0], order[::-1][gain[order[::-1]] < 0]
    return ComparedPart(
        reference=first.name,
        other=other.name,
        changes=other.changes,
        verdict=verdict(first.name, other.name, result),
        distinguishable=result.distinguishable,
        runs=result.runs,
        accuracies=result.accuracies,
        accuracy=Effect(
            "accuracy",
            result.difference.value,
            result.difference.low,
            result.difference.high,
            result.adjusted_p_value,
        ),
        runs_needed=result.runs_needed,
        f1=f1_effects(_predictions(first), _predictions(other), first.group.class_names),
        gained_count=result.gained,
        lost_count=result.lost,
        gained=_changed(other, before, after, gained, test_NHWC),
        lost=_changed(other, before, after, lost, test_NHWC),
    )


def f1_effects(
    first: Sequence[Predictions], other: Sequence[Predictions], names: Sequence[str]
) -> tuple[Effect, ...]:
    """Return how much more F1 `other` has for each class, p-values corrected for the classes.

    A class of few pictures may be the same on nearly all resamples: its difference is at least as
    uncertain as what the intervals of both sides say.
    """
    found = differences(first, other)
    pictures = np.bincount(first[0].labels, minlength=len(names))
    alone = [intervals(one) if pictures.min() < FEW else {} for one in (first, other)]
    gaps, p_values = [], []
    for name, count in zip(names, pictures, strict=True):
        estimate = found[f"test/f1/{name}"]
        gap, p_value = estimate.interval, estimate.p_value
        if count < FEW:
            wide, cautious = apart(*(one[f"test/f1/{name}"] for one in alone))
            gap = wider(gap, wide)
            p_value = max(p_value, cautious)
        gaps.append(possible(gap))
        p_values.append(p_value)
    return tuple(
        Effect(name, gap.value, gap.low, gap.high, p_value)
        for name, gap, p_value in zip(names, gaps, holm(p_values), strict=True)
    )


def _right(one: Named) -> NDArray[np.float64]:
    """Return, for each picture, the share of runs that had it right."""
    right = [run.predicted == run.labels for run in _predictions(one)]
    return np.asarray(np.mean(right, axis=0), np.float64)


def _changed(
    one: Named,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    order: NDArray[np.int64],
    test_NHWC: NDArray[np.uint8] | None,
) -> ChangedPictures | None:
    """Return the first pictures of `order`, if any."""
    run, some = one.group.first.predictions, order[:PICTURES_TOLD]
    indices = run.indices[some]
    if not len(some):
        return None
    known = test_NHWC is not None and indices.max() < len(test_NHWC)
    return ChangedPictures(
        Tiles.of(test_NHWC[indices]) if test_NHWC is not None and known else None,
        tuple(int(index) for index in indices),
        tuple(run.class_names[run.labels[at]] for at in some),
        tuple(float(share) for share in before[some]),
        tuple(float(share) for share in after[some]),
    )
