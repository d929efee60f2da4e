"""The page of a comparison: which group of runs is better, by how much, where, on what pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.facts import Group
from fashioncnn.reporting.figures import changed, effects
from fashioncnn.reporting.figures.figure_files import keep
from fashioncnn.reporting.html import Picture, picture, write_page
from fashioncnn.reporting.provenance import provenance
from fashioncnn.reporting.style import class_colours

TITLE = "Which is better?"
EFFECTS_CAPTION = (
    "Differences in points, with 95 % intervals over pictures and seeds: an interval that holds "
    "zero says that the difference may be chance."
)
CHANGED_CAPTION = (
    "The test pictures whose answers changed most: above each its true class, in the frame's "
    "colour; below it, how many of 100 runs had it right before and after."
)


def write(
    groups: Sequence[Group],
    comparisons: Sequence[Mapping[str, Any]],
    test: LabelledImages,
    page: Path,
    figures_folder: Path,
    title: str = TITLE,
) -> Path:
    """Draw the figures into `figures_folder` and write `page`; returns its path.

    `comparisons` are those of the first of `groups` with each other one, as `compare`'s to_json
    says them; `test` holds the pictures that they are about. Every run must have its scores.
    """
    names = [comparisons[0]["reference"], *(one["other"] for one in comparisons)]
    class_names = [score.name for score in groups[0].scored[0].classes]
    return write_page(
        "comparison.html.j2",
        page,
        title=title,
        comparisons=comparisons,
        effects=picture(
            keep("effects", partial(effects.forest, comparisons), figures_folder), EFFECTS_CAPTION
        ),
        changed=[
            _changed(one, number, test, figures_folder)
            for number, one in enumerate(comparisons, start=1)
        ],
        groups=[_facts(name, one) for name, one in zip(names, groups, strict=True)],
        classes=_classes(groups, comparisons, class_names),
    )


def _changed(
    one: Mapping[str, Any], number: int, test: LabelledImages, folder: Path
) -> Picture | None:
    if not one["gained"] and not one["lost"]:
        return None
    make = partial(changed.pictures, one, test)
    return picture(keep(f"changed_{number}", make, folder), CHANGED_CAPTION)


def _facts(name: str, one: Group) -> dict[str, Any]:
    return {
        "name": name,
        "n": len(one.runs),
        "accuracy": one.mean_std("test/accuracy"),
        "interval": one.intervals()["test/accuracy"],
        "macro": one.mean_std("test/f1_macro"),
        "loss": one.mean_std("test/loss"),
        "parameters": one.first.cost["parameters"] if one.first.cost else None,
        "seconds": sum(run.seconds for run in one.runs) / len(one.runs),
        "stress": one.first.stress,
        "provenance": provenance(one),
    }


def _classes(
    groups: Sequence[Group], comparisons: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a row a class: its F1 in every group, and where it differs from the first's."""
    rows = []
    for at, name in enumerate(names):
        told = [None, *(one["f1"][at] for one in comparisons)]
        cells = [
            {
                "f1": group.mean_std(f"test/f1/{name}"),
                "differs": effect is not None and effect["adjusted_p_value"] < 0.05,
            }
            for group, effect in zip(groups, told, strict=True)
        ]
        rows.append({"name": name, "colour": class_colours(names)[name], "cells": cells})
    return rows
