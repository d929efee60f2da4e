"""Which silent choice makes the second seed system's reported figures?

Its report has 86 % accuracy, a training loss of 0.3860 and a validation loss of 0.3870, where the
recipe as described reaches 91 % and 0.12. Every candidate below is that recipe with one choice, or
two, that the report does not tell. They are ranked on validation by how far their table of classes
and their losses lie from the reported ones; the nearest is then trained with five seeds and read on
test, once a run. Writes docs/findings/what-makes-86.md. Runs lie in runs/silent-choices; started
again, the script goes on with them.

Usage: python benchmarks/silent_choices.py [--seeds 5]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fashioncnn.evaluation.intervals import further_run
from fashioncnn.evaluation.scores import Scores
from fashioncnn.recipes.load import load
from fashioncnn.runs.directory import Run, open_run, runs_below
from fashioncnn.workflows.evaluate import evaluate
from shared import DOCS, ROOT, mean_std, side_by_side, train_on_one_thread

RUNS = ROOT / "runs" / "silent-choices"
RECIPE = Path(__file__).parent / "silent_choices" / "recipe.toml"
RANKED_SEEDS = 2
RATE, MODEL = "optimizer.learning_rate", "model"
SGD = ("optimizer.name=sgd", "optimizer.momentum=0.0")
CANDIDATES: Mapping[str, Sequence[str]] = {
    "as-described": (),
    "rate-tenth": (f"{RATE}=0.0001",),
    "rate-fifth": (f"{RATE}=0.0002",),
    "rate-twentieth": (f"{RATE}=0.00005",),
    "rate-hundredth": (f"{RATE}=0.00001",),
    "sgd-hundredth": (*SGD, f"{RATE}=0.01"),
    "sgd-momentum": ("optimizer.name=sgd", f"{RATE}=0.001"),
    "one-epoch": ("training.epochs=1",),
    "two-epochs": ("training.epochs=2",),
    "unshuffled": ("training.shuffle=false",),
    "unshuffled-and-rate-fifth": ("training.shuffle=false", f"{RATE}=0.0002"),
    "sigmoid-everywhere": (f'{MODEL}.convolution_activation="sigmoid"',),
    "sigmoid-output": (f"{MODEL}.output_sigmoid=true",),
    "sigmoid-output-and-everywhere": (
        f"{MODEL}.output_sigmoid=true",
        f'{MODEL}.convolution_activation="sigmoid"',
    ),
    "frozen-convolutions": (f"{MODEL}.frozen_convolutions=true",),
    "frozen-and-rate-third": (f"{MODEL}.frozen_convolutions=true", f"{RATE}=0.0003"),
    "frozen-and-rate-fifth": (f"{MODEL}.frozen_convolutions=true", f"{RATE}=0.0002"),
    "frozen-unshuffled-and-rate-fifth": (
        f"{MODEL}.frozen_convolutions=true",
        "training.shuffle=false",
        f"{RATE}=0.0002",
    ),
    "frozen-and-rate-tenth": (f"{MODEL}.frozen_convolutions=true", f"{RATE}=0.0001"),
    "narrow-and-rate-tenth": (
        f"{MODEL}.channels=[4, 8, 16]",
        f"{MODEL}.hidden_features=[64, 32]",
        f"{RATE}=0.0001",
    ),
    "sigmoid-everywhere-and-rate-tenth": (
        f'{MODEL}.convolution_activation="sigmoid"',
        f"{RATE}=0.0001",
    ),
}


@dataclass(frozen=True)
class Candidate:
    """A candidate's runs, and how far they lie from the report on validation."""

    name: str
    changes: Sequence[str]
    runs: tuple[Run, ...]
    distance: float
    accuracy: float
    train_loss: float
    val_loss: float


def train(name: str, seed: int) -> None:
    """Train one seed of a candidate, unless it is there."""
    changes = [word for one in (f"name={name}", *CANDIDATES[name]) for word in ("--set", one)]
    words = (str(RECIPE), *changes, "--seed", str(seed), "--out", str(RUNS), "--resume")
    print(f"{name}, seed {seed}: {train_on_one_thread(*words)}", flush=True)


def figures(scores: Scores) -> dict[str, float]:
    """Return precision, recall and F1 of every class, as the report has them."""
    return {
        f"{one.name}, {kind}": getattr(one, kind)
        for one in scores.classes
        for kind in ("precision", "recall", "f1")
    }


def reported() -> dict[str, float]:
    """Return the report's figures, by class and kind."""
    told = load("three-conv").reported
    assert told is not None
    return {
        f"{name}, {kind}": float(getattr(one, kind))
        for name, one in told.classes.items()
        for kind in ("precision", "recall", "f1")
        if getattr(one, kind) is not None
    }


def judged(name: str) -> Candidate:
    """Return how far a candidate is from the report: the root mean square over its figures.

    Losses count as one figure each, in their own unit.
    """
    runs = [open_run(run.path) for run in runs_below(RUNS / name)][:RANKED_SEEDS]
    wanted, gaps, accuracies = reported(), [], []
    told = load("three-conv").reported
    assert told is not None
    losses: list[tuple[float, float]] = []
    for run in runs:
        scores = evaluate(run, split="validation", checkpoint="last", device="cpu")
        found, last = figures(scores), run.metrics[-1]
        gaps += [found[key] - wanted[key] for key in wanted]
        gaps += [last["train/loss"] - float(told.train_loss or 0)]
        gaps += [last["val/loss"] - float(told.val_loss or 0)]
        accuracies.append(scores.accuracy)
        losses.append((last["train/loss"], last["val/loss"]))
    return Candidate(
        name,
        CANDIDATES[name],
        tuple(runs),
        math.sqrt(sum(gap * gap for gap in gaps) / len(gaps)),
        sum(accuracies) / len(runs),
        sum(train for train, _ in losses) / len(runs),
        sum(val for _, val in losses) / len(runs),
    )


def publish(ranked: Sequence[Candidate], seeds: int) -> None:
    """Write the ranking, and the nearest candidate's figures on test beside the report's."""
    best = ranked[0]
    runs = [open_run(run.path) for run in runs_below(RUNS / best.name)][:seeds]
    scores = [evaluate(run, checkpoint="last", device="cpu") for run in runs]
    by_key = {key: [figures(one)[key] for one in scores] for key in reported()}
    facts = runs[0].provenance
    lines = [
        "# What makes the second report's 86 %?",
        "",
        "The second report has 86 % accuracy, a training loss of 0.3860 and a validation loss of "
        "0.3870; `three-conv`, as it is described, reaches 91 % and 0.12. Something that the "
        "report does not tell must differ. Each candidate is `three-conv` with such a choice, "
        f"trained with {RANKED_SEEDS} seeds and ranked on validation by its distance: the root "
        "mean square of what its precisions, recalls, F1 and two losses differ from the report's. "
        "The keys that no recipe has are of `benchmarks/silent_choices/net.py`.",
        "",
        "| candidate | changes | distance | accuracy, % | training loss | validation loss |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{one.name}` | {'; '.join(f'`{change}`' for change in one.changes) or '–'} | "
            f"{one.distance:.3f} | {100 * one.accuracy:.2f} | {one.train_loss:.3f} | "
            f"{one.val_loss:.3f} |"
            for one in ranked
        ),
        "",
        f"## The nearest, `{best.name}`, on test",
        "",
        f"Mean ± standard deviation over {len(runs)} seeds, test read once a run, by the last "
        "epoch's weights. *Within*: the reported figure, rounded to two digits as it is, lies "
        "within the range of 95 of 100 further runs, widened by half a hundredth for the rounding.",
        "",
        "| | reported | here | |",
        "|---|---|---|---|",
    ]
    told = load("three-conv").reported
    assert told is not None
    rows = [("accuracy", told.accuracy, [one.accuracy for one in scores])]
    last = [run.metrics[-1] for run in runs]
    rows += [
        (f"{name} loss", float(value or 0), [record[key] for record in last])
        for name, value, key in (
            ("training", told.train_loss, "train/loss"),
            ("validation", told.val_loss, "val/loss"),
        )
    ]
    rows += [(key, value, by_key[key]) for key, value in reported().items()]
    within = 0
    for name, value, found in rows:
        middle = sum(found) / len(found)
        spread = math.sqrt(sum((one - middle) ** 2 for one in found) / (len(found) - 1))
        near = abs(middle - value) <= further_run(spread, len(found)) + 0.005
        within += near
        words = "within" if near else "lower here" if middle < value else "higher here"
        lines.append(f"| {name} | {value:g} | {mean_std(found, 3)} | {words} |")
    lines += [
        "",
        f"{within} of {len(rows)} figures are within. {_verdict(within, len(rows), best)}",
        "",
        f"Made by `python benchmarks/silent_choices.py` on {facts['hardware']}, "
        f"{facts['precision']}, torch {facts['versions']['torch']}.",
        "",
    ]
    (DOCS / "what-makes-86.md").write_text("\n".join(lines))


def _verdict(within: int, count: int, best: Candidate) -> str:
    if within >= 0.95 * count:
        return (
            f"By chance 1 of 20 would not be, so that `{best.name}` reproduces the whole table. "
            "That it is what the report did is likely, not proved: other choices may do the same."
        )
    return (
        f"By chance 1 of 20 would not be: none of these choices reproduces the whole table. "
        f"`{best.name}` comes nearest, by two seeds, with others close behind; what else differed, "
        "the report does not tell."
    )


def main() -> None:
    """Train the candidates, rank them, train the nearest further, publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    jobs = [(name, seed) for seed in range(RANKED_SEEDS) for name in CANDIDATES]
    side_by_side(lambda job: train(*job), jobs)
    ranked = sorted((judged(name) for name in CANDIDATES), key=lambda one: one.distance)
    best = ranked[0].name
    side_by_side(lambda seed: train(best, seed), range(RANKED_SEEDS, options.seeds))
    publish(ranked, options.seeds)


if __name__ == "__main__":
    main()
