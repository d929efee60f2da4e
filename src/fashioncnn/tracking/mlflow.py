"""MLflow: a run there for each run here, at MLFLOW_TRACKING_URI or MLflow's own default."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fashioncnn.errors import TrackingError, reason
from fashioncnn.recipes.load import flatten, load
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.tracking.tracker import Record, Status, figures, scalars, test_scores

# A training must not wait minutes for a server that is gone; and no one is told of what we do.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

# Importing it turns its own lines on.
for chatty in ("mlflow", "alembic"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

MAX_BATCH = 100
MAX_VALUE = 6000


class MLflow:
    """See Tracker. The experiment is named after the recipe, the run after its folder."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._uri = mlflow.get_tracking_uri()
        self._epochs = 0
        with _reaching(self._uri):
            self._client = mlflow.MlflowClient(self._uri)
            self._id = self._known() or self._create()

    def epochs(self, records: Sequence[Record]) -> None:
        """See Tracker."""
        with _reaching(self._uri):
            for record in records[self._epochs :]:
                names = self._run.trained_on.class_names
                self._write(scalars(record, names), record["epoch"])
                self._epochs = record["epoch"]

    def files(self) -> None:
        """See Tracker; the artefacts, downloaded into one folder, are a run directory again."""
        run = self._run
        whole = [run.recipe_file, run.provenance_file, run.metrics_file, run.report_file]
        folders = {
            "figures": figures(run),
            "evaluation": sorted(run.evaluation.glob("*.json")),
            "checkpoints": sorted(run.checkpoints.glob("*.[js]*")),
        }
        with _reaching(self._uri):
            self._write(test_scores(run), self._epochs)
            for path in whole:
                if path.exists():
                    self._client.log_artifact(self._id, str(path))
            for folder, paths in folders.items():
                for path in paths:
                    self._client.log_artifact(self._id, str(path), folder)

    def close(self, status: Status) -> None:
        """See Tracker."""
        with _reaching(self._uri):
            self._client.set_terminated(self._id, status)

    def _known(self) -> str | None:
        """Find the run that was begun earlier, and how many epochs it has."""
        file = self._run.path / "mlflow.json"
        if not file.exists():
            return None
        told = read_json(file)
        if not isinstance(told, dict) or told.get("tracking_uri") != self._uri:
            return None
        try:
            known = self._client.get_run(str(told.get("run_id")))
        except MlflowException as fault:
            if fault.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        history = self._client.get_metric_history(known.info.run_id, "train/loss")
        self._epochs = max((point.step for point in history), default=0)
        self._client.update_run(known.info.run_id, status="RUNNING")
        return str(known.info.run_id)

    def _create(self) -> str:
        recipe, provenance = load(self._run.recipe_file), self._run.provenance
        tags = {
            "mlflow.runName": f"{recipe.name} {self._run.path.name}",
            "fashioncnn.path": str(self._run.path.absolute()),
            **{f"fashioncnn.{key}": _text(value) for key, value in provenance.items()},
        }
        created = self._client.create_run(self._experiment(recipe.name), tags=tags)
        run_id = str(created.info.run_id)
        parameters = [Param(key, _text(value)) for key, value in flatten(recipe.settings()).items()]
        for start in range(0, len(parameters), MAX_BATCH):
            self._client.log_batch(run_id, params=parameters[start : start + MAX_BATCH])
        told = {"tracking_uri": self._uri, "run_id": run_id}
        write_text(self._run.path / "mlflow.json", to_json(told))
        return run_id

    def _experiment(self, recipe_name: str) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", recipe_name)
        if found := self._client.get_experiment_by_name(name):
            return str(found.experiment_id)
        try:
            return str(self._client.create_experiment(name))
        except MlflowException:
            # Another worker was faster.
            if found := self._client.get_experiment_by_name(name):
                return str(found.experiment_id)
            raise

    def _write(self, values: Mapping[str, float], epoch: int) -> None:
        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, epoch) for name, value in values.items()]
        if metrics:
            self._client.log_batch(self._id, metrics=metrics)


def reach() -> None:
    """Raise TrackingError unless the tracking server, or its database, answers."""
    uri = mlflow.get_tracking_uri()
    with _reaching(uri):
        mlflow.MlflowClient(uri).search_experiments(max_results=1)


@contextmanager
def _reaching(uri: str) -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"--track mlflow: {uri}: {reason(error)}") from None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MAX_VALUE]
