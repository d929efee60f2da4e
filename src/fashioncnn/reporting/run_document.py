"""From runs of one recipe to the document of their page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fashioncnn.evaluation.class_groups import group_confusion
from fashioncnn.evaluation.selective import risk_coverage
from fashioncnn.reporting.documents.run import (
    ClassRow,
    ConfusedPictures,
    Curves,
    Mistakes,
    RecipePart,
    RiskCoverageCurve,
    RunDocument,
    TellingPictures,
    UnknownRow,
)
from fashioncnn.reporting.groups import Group, ScoredRun
from fashioncnn.reporting.inside import classes_of, inside, numbers, part, shares
from fashioncnn.reporting.provenance import provenance
from fashioncnn.reporting.reported import reported_rows
from fashioncnn.reporting.style import class_colours
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs import artifacts

CURVE_POINTS = 400
TOP_CONFUSIONS = 8
# Of classes that share the lowest F1.
NAMED = 3
UNKNOWN_WORDS = {
    "noise": "noise",
    "inverted": "test pictures, black and white exchanged",
    "scrambled": "test pictures, pixels in another order",
}


def run_document(group: Group, explorer: str | None = None) -> RunDocument:
    """Return everything that the page of `group` says; single pictures are of its first run.

    `explorer` is the address of the page in which that run's network runs, where there is one.
    """
    run, names = group.first, group.class_names
    recipe, kept = run.recipe, run.kept
    confidence = kept.get(artifacts.CONFIDENCE)
    classes = tuple(_classes(group))
    telling = part(lambda: _telling(run))
    return RunDocument(
        kind="runs",
        recipe=RecipePart(run.name, recipe["summary"], recipe["model"]["members"], run.recipe_toml),
        data_name=run.run.trained_on.name,
        n=len(group.runs),
        accuracy=group.mean_std("test/accuracy"),
        accuracy_interval=group.intervals["test/accuracy"],
        loss=group.mean_std("test/loss"),
        f1_macro=group.mean_std("test/f1_macro"),
        seconds=group.seconds,
        epochs=len(run.metrics),
        hardware=run.provenance["hardware"],
        precision=run.provenance["precision"],
        classes=classes,
        weakest=_weakest(classes),
        mistakes=_mistakes(group),
        top_confusions=tuple(run.scores.top_confusions[:TOP_CONFUSIONS]),
        confusion=tuple(tuple(float(count) for count in row) for row in group.confusion),
        reported=tuple(reported_rows(group)),
        curves=_curves(group),
        confused=part(lambda: _confused(run)),
        worst_mistakes=telling.get(0) if telling else None,
        closest_right_answers=telling.get(1) if telling else None,
        confidence=confidence,
        risk_coverage=_risk_coverage(run) if confidence else None,
        cost=kept.get(artifacts.COST),
        stress=kept.get(artifacts.STRESS),
        unknown=tuple(_unknown(run)),
        inside=inside(kept, names),
        explorer=explorer,
        provenance=provenance(group),
    )


def _classes(group: Group) -> Iterator[ClassRow]:
    names = group.class_names
    reported = (group.first.recipe.get("reported") or {}).get("classes", {})
    for index, name in enumerate(names):
        yield ClassRow(
            name,
            class_colours(names)[name],
            group.first.scores.classes[index].support,
            precision=group.mean_std(f"test/precision/{name}"),
            recall=group.mean_std(f"test/recall/{name}"),
            f1=group.mean_std(f"test/f1/{name}"),
            f1_interval=group.intervals[f"test/f1/{name}"],
            reported_f1=reported.get(name, {}).get("f1"),
        )


def _weakest(classes: Sequence[ClassRow]) -> str:
    """Name the class of the lowest F1, or those that share it, of those that have pictures."""
    classes = [one for one in classes if one.support]
    lowest = min(one.f1.mean for one in classes)
    names = [one.name for one in classes if one.f1.mean == lowest]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _mistakes(group: Group) -> Mistakes:
    names, wrong = group_confusion(group.confusion, group.class_names)
    within = tuple(
        (name, float(count)) for name, count in zip(names, wrong.diagonal(), strict=True) if count
    )
    return Mistakes(float(wrong.sum()), within, float(wrong.sum() - wrong.trace()))


def _curves(group: Group) -> Curves:
    curves = {
        name: {
            split: found for split in ("train", "val") if (found := group.curves(f"{split}/{name}"))
        }
        for name in ("loss", "accuracy")
    }
    classes = len(group.class_names)
    by_class = [
        one
        for one in group.curves("val/accuracy_by_class")
        if all(len(row) == classes for row in one)
    ]
    mean_by_class = None
    if by_class:
        shortest = min(map(len, by_class))
        mean_EC = np.mean([np.array(one[:shortest]) for one in by_class], axis=0)
        mean_by_class = tuple(tuple(float(share) for share in row) for row in mean_EC)
    selection = group.first.recipe.get("selection") or {}
    return Curves(
        curves["loss"],
        curves["accuracy"],
        mean_by_class,
        selection.get("full_epochs"),
        selection.get("kept_share"),
    )


def _confused(run: ScoredRun) -> ConfusedPictures | None:
    found = run.kept.get(artifacts.CONFUSED_PICTURES)
    if found is None or not len(found["labels"]):
        return None
    count = len(run.predictions.class_names)
    return ConfusedPictures(
        Tiles.of(found["images"]),
        numbers(found["indices"]),
        classes_of(found["labels"], count),
        classes_of(found["predicted"], count),
        shares(found["probabilities"]),
    )


def _telling(run: ScoredRun) -> dict[int, TellingPictures]:
    """Return the worst mistakes (0) and the closest right answers (1), where there are any."""
    found = run.kept.get(artifacts.TELLING_PICTURES)
    if found is None:
        return {}
    count = len(run.predictions.class_names)
    kinds: dict[int, TellingPictures] = {}
    for kind in (0, 1):
        mine = found["kind"] == kind
        if mine.any():
            kinds[kind] = TellingPictures(
                Tiles.of(found["images"][mine]),
                numbers(found["indices"][mine]),
                classes_of(found["answers"][mine], count),
                classes_of(found["others"][mine], count),
                shares(found["answer_probabilities"][mine]),
                shares(found["other_probabilities"][mine]),
            )
    return kinds


def _risk_coverage(run: ScoredRun) -> RiskCoverageCurve:
    found = run.kept.get(artifacts.CONFIDENCE)
    fitted = found.with_temperature if found else None
    curve = risk_coverage(run.predictions.at_temperature(fitted.temperature if fitted else 1.0))
    # The first few answers make the curve jump: from 1 % of the pictures on it says something.
    shown = np.flatnonzero(curve.coverage >= 0.01)
    some = shown[np.unique(np.linspace(0, len(shown) - 1, CURVE_POINTS).astype(int))]
    return RiskCoverageCurve(shares(curve.coverage[some]), shares(curve.risk[some]))


def _unknown(run: ScoredRun) -> Iterator[UnknownRow]:
    """Yield how well unknown pictures are noticed, first our own kinds, then the user's."""
    if stress := run.kept.get(artifacts.STRESS):
        for kind, found in stress.unknown.items():
            words = UNKNOWN_WORDS.get(kind, kind)
            yield UnknownRow(words, found["probability"], found["energy"])
    if asked := run.kept.get(artifacts.UNKNOWN):
        for one in asked.asked:
            yield UnknownRow(f"{one.path} ({one.n:,} pictures)", one.probability, one.energy)
