"""The verb `evaluate`: what is asked, what is answered in values and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashioncnn.cli import score_tables
from fashioncnn.cli.options import (
    Checkpoint,
    CheckpointOption,
    DataFolder,
    Device,
    DeviceOption,
    Json,
    Runs,
    Split,
    Views,
    answer,
)

if TYPE_CHECKING:
    from fashioncnn.evaluation.scores import Scores
    from fashioncnn.evaluation.views import ViewsName
    from fashioncnn.opening.trained import Trained

Part = tuple[dict[str, Any], str]


def evaluate(
    runs: Runs,
    split: Annotated[Split, typer.Option(help="Which pictures.")] = Split.TEST,
    checkpoint: CheckpointOption = Checkpoint.BEST,
    views: Annotated[
        Views, typer.Option(help="Also average over views: flip is 2 passes, flip-shift 6.")
    ] = Views.PLAIN,
    unknown: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Are these noticed as unknown? IDX, picture or folder."),
    ] = None,
    stress: Annotated[
        bool,
        typer.Option(
            "--stress", metavar="", help="Also worse test pictures, and unknown ones of ours."
        ),
    ] = False,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Score runs, with intervals.

    Accuracy, figures by class, confusion, confidence, cost.
    """
    from fashioncnn.bundles.bundle import is_bundle

    if any(map(is_bundle, runs)):
        if split is not Split.TEST or views is not Views.PLAIN or unknown or stress:
            raise typer.BadParameter("a bundle is scored on test, in plain view, alone")
        answer(as_json, *_bundles(runs, data))
        return
    from fashioncnn.console.say import say
    from fashioncnn.opening.data import open_as
    from fashioncnn.opening.runs import open_runs
    from fashioncnn.opening.trained import open_trained
    from fashioncnn.recipes.load import differences
    from fashioncnn.workflows.evaluate import evaluate_trained

    opened = open_runs(runs)
    shared = data and open_as(data, opened[0].trained_on.shape)
    trained = [open_trained(run, checkpoint.value, shared, device.value) for run in opened]
    if shared:
        for one in trained:
            one.check_data()
    if any(differences(trained[0].recipe, other.recipe) for other in trained[1:]):
        say("these are runs of several recipes: `compare` tells them apart")
    asked = _Asked(trained, split)
    scores = [evaluate_trained(one, split.value) for one in trained]
    answers = [asked.one(scores[0]) if len(scores) == 1 else asked.group(scores)]
    if views is not Views.PLAIN:
        answers.append(asked.averaged(scores, views))
    if unknown:
        answers.append(asked.unknown(unknown))
    if stress:
        answers.append(asked.stress())
    values = {key: value for part, _ in answers for key, value in part.items()}
    answer(as_json, values, "\n\n".join(words for _, words in answers))


def _bundles(paths: list[Path], data: Path | None) -> Part:
    from fashioncnn.workflows.evaluate_bundle import evaluate_bundle

    found = [(str(path), evaluate_bundle(path, data=data)) for path in paths]
    values = [
        {"bundle": path, "split": "test", "seconds": one.seconds}
        | one.scores.to_json()
        | {"intervals": {name: asdict(interval) for name, interval in one.intervals.items()}}
        for path, one in found
    ]
    words = [f"{path}\n{score_tables.scores(one.scores, one.intervals)}" for path, one in found]
    return {"bundles": values}, "\n\n".join(words)


@dataclass(frozen=True)
class _Asked:
    """What to say of opened networks that were scored on `split`."""

    trained: list[Trained]
    split: Split

    @property
    def prefix(self) -> str:
        """What metric names begin with."""
        return "test" if self.split is Split.TEST else "val"

    def one(self, scores: Scores) -> Part:
        from fashioncnn.evaluation.run_groups import intervals
        from fashioncnn.runs import artifacts
        from fashioncnn.workflows.evaluate import predictions_of

        (one,) = self.trained
        found = intervals([predictions_of(one, self.split.value)], self.prefix)
        values = {"run": str(one.run.path), "split": self.split.value} | scores.to_json()
        values["intervals"] = {name: asdict(interval) for name, interval in found.items()}
        words = [score_tables.scores(scores, found)]
        confidence, cost = one.kept.get(artifacts.CONFIDENCE), one.kept.get(artifacts.COST)
        if self.split is Split.TEST and confidence and cost:
            values |= {"confidence": asdict(confidence), "cost": asdict(cost)}
            words += [score_tables.confidence(confidence), score_tables.cost(cost)]
        return values, "\n\n".join(words)

    def group(self, scores: list[Scores]) -> Part:
        from fashioncnn.evaluation.run_groups import intervals
        from fashioncnn.evaluation.summary import summarise
        from fashioncnn.workflows.evaluate import predictions_of

        found = intervals(
            [predictions_of(one, self.split.value) for one in self.trained], self.prefix
        )
        values = {
            "runs": [str(one.run.path) for one in self.trained],
            "metrics": summarise([score.metrics(self.prefix) for score in scores]),
            "intervals": {name: asdict(interval) for name, interval in found.items()},
        }
        return values, score_tables.group_scores(scores, found)

    def averaged(self, plain: list[Scores], views: Views) -> Part:
        from fashioncnn.evaluation.summary import summarise
        from fashioncnn.workflows.evaluate import evaluate_trained, view_costs

        kind: ViewsName = views.value
        scores = [evaluate_trained(one, self.split.value, kind) for one in self.trained]
        costs = [view_costs(one, self.split.value, kind) for one in self.trained]
        metrics = summarise([score.metrics(self.prefix) for score in scores])
        values = {"views": {"name": kind, "metrics": metrics, "costs": costs}}
        return values, score_tables.views(kind, plain, scores, costs)

    def stress(self) -> Part:
        from fashioncnn.workflows.stress import stress

        found = [(str(one.run.path), stress(one)) for one in self.trained]
        values = {"stress": [{"run": run} | asdict(one) for run, one in found]}
        return values, "\n\n".join(score_tables.stress(run, one) for run, one in found)

    def unknown(self, path: Path) -> Part:
        from fashioncnn.workflows.unknown import unknown

        found = [unknown(one, path) for one in self.trained]
        values = {"unknown": [asdict(one) for one in found]}
        return values, "\n".join(map(score_tables.unknown, found))
