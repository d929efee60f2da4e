"""The reference system for convolutional networks on Fashion-MNIST.

    import fashioncnn as fc

    run = fc.train("two-conv", seed=1)
    scores = fc.evaluate(run)
    page = fc.report([run])

Importing this module loads nothing but the standard library; each verb loads what it needs when
it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashioncnn.errors import FashionCNNError as FashionCNNError
    from fashioncnn.evaluation.scores import Scores as Scores
    from fashioncnn.runs.directory import Run as Run
    from fashioncnn.runs.directory import open_run as open_run
    from fashioncnn.workflows.audit import audit as audit
    from fashioncnn.workflows.bench_machine import bench_machine as bench_machine
    from fashioncnn.workflows.bench_predict import bench_predict as bench_predict
    from fashioncnn.workflows.bench_speed import bench_speed as bench_speed
    from fashioncnn.workflows.compare import compare as compare
    from fashioncnn.workflows.evaluate import evaluate as evaluate
    from fashioncnn.workflows.explain import explain as explain
    from fashioncnn.workflows.fetch import check_data as check_data
    from fashioncnn.workflows.fetch import fetch_data as fetch_data
    from fashioncnn.workflows.opening import open_runs as open_runs
    from fashioncnn.workflows.report import report as report
    from fashioncnn.workflows.train import train as train
    from fashioncnn.workflows.train import train_seeds as train_seeds
    from fashioncnn.workflows.tune import tune as tune

__version__ = "0.1.0"

_HOME = {
    "FashionCNNError": "errors",
    "Run": "runs.directory",
    "Scores": "evaluation.scores",
    "audit": "workflows.audit",
    "bench_machine": "workflows.bench_machine",
    "bench_predict": "workflows.bench_predict",
    "bench_speed": "workflows.bench_speed",
    "check_data": "workflows.fetch",
    "compare": "workflows.compare",
    "evaluate": "workflows.evaluate",
    "explain": "workflows.explain",
    "fetch_data": "workflows.fetch",
    "open_run": "runs.directory",
    "open_runs": "workflows.opening",
    "report": "workflows.report",
    "train": "workflows.train",
    "train_seeds": "workflows.train",
    "tune": "workflows.tune",
}
__all__ = [  # noqa: RUF022
    "train",
    "train_seeds",
    "evaluate",
    "explain",
    "report",
    "compare",
    "audit",
    "tune",
    "bench_machine",
    "bench_speed",
    "bench_predict",
    "fetch_data",
    "check_data",
    "open_run",
    "open_runs",
    "Run",
    "Scores",
    "FashionCNNError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"fashioncnn.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
