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
    from fashioncnn.runs.directory import Run

Answer = tuple[dict[str, Any], str]


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
        bool, typer.Option("--stress", help="Also worse test pictures, and unknown ones of ours.")
    ] = False,
    data: DataFolder = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Score runs: accuracy, per-class figures with intervals, confusion, confidence, cost."""
    from fashioncnn.workflows.opening import open_runs

    asked = _Asked(open_runs(runs), split, checkpoint, data, device)
    scores = asked.scores(Views.PLAIN)
    answers = [asked.one(scores[0]) if len(scores) == 1 else asked.group(scores)]
    if views is not Views.PLAIN:
        answers.append(asked.averaged(scores, views))
    if unknown:
        answers.append(asked.unknown(unknown))
    if stress:
        answers.append(asked.stress())
    values = {key: value for part, _ in answers for key, value in part.items()}
    answer(as_json, values, "\n\n".join(words for _, words in answers))


@dataclass(frozen=True)
class _Asked:
    runs: list[Run]
    split: Split
    checkpoint: Checkpoint
    data: Path | None
    device: Device

    @property
    def prefix(self) -> str:
        """What metric names begin with."""
        return "test" if self.split is Split.TEST else "val"

    def scores(self, views: Views) -> list[Scores]:
        from fashioncnn.workflows.evaluate import evaluate as evaluate_run

        return [
            evaluate_run(
                run,
                split=self.split.value,
                checkpoint=self.checkpoint.value,
                views=views.value,
                data=self.data,
                device=self.device.value,
            )
            for run in self.runs
        ]

    def one(self, scores: Scores) -> Answer:
        from fashioncnn.evaluation.group import intervals
        from fashioncnn.workflows.evaluate import confidence_of, cost_of, predictions_of

        (run,) = self.runs
        found = intervals([predictions_of(run, self.split.value)], self.prefix)
        values = {"run": str(run.path), "split": self.split.value} | scores.to_json()
        values["intervals"] = {name: asdict(interval) for name, interval in found.items()}
        words = [score_tables.scores(scores, found)]
        if self.split is Split.TEST:
            values |= {"confidence": confidence_of(run), "cost": cost_of(run)}
            words += [
                score_tables.confidence(values["confidence"]),
                score_tables.cost(values["cost"]),
            ]
        return values, "\n\n".join(words)

    def group(self, scores: list[Scores]) -> Answer:
        from fashioncnn.evaluation.group import intervals
        from fashioncnn.evaluation.summary import summarise
        from fashioncnn.workflows.evaluate import predictions_of

        predictions = [predictions_of(run, self.split.value) for run in self.runs]
        found = intervals(predictions, self.prefix)
        values = {
            "runs": [str(run.path) for run in self.runs],
            "metrics": summarise([score.metrics(self.prefix) for score in scores]),
            "intervals": {name: asdict(interval) for name, interval in found.items()},
        }
        return values, score_tables.group_scores(scores, found)

    def averaged(self, plain: list[Scores], views: Views) -> Answer:
        from fashioncnn.evaluation.summary import summarise
        from fashioncnn.workflows.evaluate import view_costs

        scores = self.scores(views)
        costs = [view_costs(run, self.split.value, views.value) for run in self.runs]
        metrics = summarise([score.metrics(self.prefix) for score in scores])
        values = {"views": {"name": views.value, "metrics": metrics, "costs": costs}}
        return values, score_tables.views(views.value, plain, scores, costs)

    def stress(self) -> Answer:
        from fashioncnn.workflows.stress import stress

        found = [
            {"run": str(run.path)} | stress(run, data=self.data, device=self.device.value)
            for run in self.runs
        ]
        return {"stress": found}, "\n\n".join(map(score_tables.stress, found))

    def unknown(self, path: Path) -> Answer:
        from fashioncnn.workflows.unknown import unknown

        found = [unknown(run, path, data=self.data, device=self.device.value) for run in self.runs]
        return {"unknown": found}, "\n".join(map(score_tables.unknown, found))
