"""The verbs for parts of one's own: new and check."""

from __future__ import annotations

import enum
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashioncnn.cli.options import DataFolder, Json, answer
from fashioncnn.cli.tables import table

if TYPE_CHECKING:
    from fashioncnn.checking.facts import Facts, Rung
    from fashioncnn.checking.finding import Finding
    from fashioncnn.workflows.check import Checked

SIGNS = {"good": "  ok  ", "note": " note ", "bad": " BAD  "}


class Part(enum.StrEnum):
    """What one can have of one's own."""

    NETWORK = "network"
    OPTIMIZER = "optimizer"
    SCHEDULE = "schedule"
    LOSS = "loss"
    AUGMENTATION = "augmentation"


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, as mine.py.")],
    what: Annotated[Part, typer.Option(help="What it is.")] = Part.NETWORK,
    as_json: Json = False,
) -> None:
    """Write a network of your own to start from.

    And a recipe beside it, which names it.
    """
    from fashioncnn.workflows.new import new as write_new

    code, recipe = write_new(file, what=what.value)
    answer(
        as_json,
        {"code": str(code), "recipe": str(recipe)},
        f"{code} and {recipe} are there, and work as they are.\n\n"
        f"Next: fashioncnn check {code}\n      fashioncnn train {recipe}",
    )


def check(
    target: Annotated[
        str, typer.Argument(metavar="FILE", help="mine.py, mine.py:MyNet, or a recipe.")
    ],
    what: Annotated[Part, typer.Option(help="What FILE:NAME is.")] = Part.NETWORK,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key, as model.width=64."),
    ] = None,
    data: DataFolder = None,
    train: Annotated[
        bool, typer.Option("--train", metavar="", help="Train it for a minute: is it any good?")
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the run of that minute goes.")
    ] = Path("runs"),
    as_json: Json = False,
) -> None:
    """Look at a network of your own, as a teacher would.

    Or at an optimiser, a schedule, a loss, an augmentation. Ends with status 2 where something
    is bad.
    """
    from fashioncnn.workflows.check import check as look_at

    checked = look_at(
        target, what=what.value, changes=changes or (), data=data, train_minute=train, out=out
    )
    values = {
        "verdict": checked.verdict,
        "parts": {name: [asdict(one) for one in found] for name, found in checked.parts.items()},
        "facts": asdict(checked.facts) if checked.facts else None,
        "recipes": [asdict(rung) for rung in checked.ladder],
        "run": str(checked.trained.path) if checked.trained else None,
        "validation_accuracy": checked.accuracy,
    }
    answer(as_json, values, _words(checked))
    if checked.verdict == "bad":
        raise typer.Exit(2)


def _words(checked: Checked) -> str:
    blocks = []
    for name, found in checked.parts.items():
        blocks.append("\n".join([name, "", *(_finding(one) for one in found)]))
    if checked.facts:
        blocks.append(_facts(checked.facts))
        blocks.append(_beside(checked, checked.facts))
    return "\n\n".join(blocks)


def _finding(found: Finding) -> str:
    lines = [f"{SIGNS[found.verdict]}{found.check}"]
    lines += [f"         {line.strip()}" for line in found.told.splitlines()]
    if found.remedy:
        lines.append(f"      →  {found.remedy}")
    return "\n".join(lines)


def _facts(facts: Facts) -> str:
    return (
        f"{facts.parameters:,} parameters, {facts.weight_bytes / 1e6:.2f} MB; a picture takes "
        f"{facts.macs / 1e6:.2f} million multiplications\n"
        f"in batches of 64, on this processor in fp32: learns from "
        f"{facts.trained_images_per_second:,.0f} pictures a second, answers "
        f"{facts.predicted_images_per_second:,.0f}; a step keeps {facts.step_bytes / 1e6:.1f} MB"
    )


def _beside(checked: Checked, facts: Facts) -> str:
    rungs = list(checked.ladder)
    if checked.accuracy is None:
        smaller = [rung for rung in rungs if rung.parameters <= facts.parameters][-1:]
        larger = [rung for rung in rungs if rung.parameters > facts.parameters][:1]
        rows = [_row(rung) for rung in (*smaller, *larger)]
        return table([["next to it in size", "parameters", "test accuracy", "in"], *rows])
    assert checked.trained is not None
    seconds = sum(record["train/seconds"] for record in checked.trained.metrics)
    mine = ["yours, on validation", f"{facts.parameters:,}"]
    mine += [f"{100 * checked.accuracy:.2f} %", f"{seconds:.0f} s"]
    reached = [(100 * checked.accuracy, mine)]
    reached += [(rung.test_accuracy_percent or 0.0, _row(rung)) for rung in rungs]
    rows = [row for _, row in sorted(reached, key=lambda one: one[0])]
    told = (
        f"{checked.trained.path} is one seed, for about a minute; the recipes' figures are means "
        "on test, on the machines that `fashioncnn recipes` names. To be sure: train both with "
        "--seeds 5, then fashioncnn compare"
    )
    return table([["the ladder", "parameters", "accuracy", "in"], *rows]) + f"\n\n{told}"


def _row(rung: Rung) -> list[str]:
    accuracy, seconds = rung.test_accuracy_percent, rung.seconds
    return [
        rung.recipe,
        f"{rung.parameters:,}",
        f"{accuracy:.2f} %" if accuracy is not None else "–",
        f"{seconds:.0f} s, {rung.hardware}" if seconds is not None else "–",
    ]
