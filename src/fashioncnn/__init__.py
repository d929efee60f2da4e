"""The reference system for convolutional networks on Fashion-MNIST.

    import fashioncnn as fc

    run = fc.train("two-conv", seed=1)
    scores = fc.evaluate(run)
    page = fc.report(run)
    answers = fc.load(run).predict(images)

Importing this module loads nothing but the standard library; each verb loads what it needs when
it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fashioncnn.version import VERSION

if TYPE_CHECKING:
    from fashioncnn.bundles.bundle import Bundle as Bundle
    from fashioncnn.bundles.bundle import open_bundle as open_bundle
    from fashioncnn.data.dataset import DataSet as DataSet
    from fashioncnn.data.images import LabelledImages as LabelledImages
    from fashioncnn.errors import FashionCNNError as FashionCNNError
    from fashioncnn.evaluation.scores import Scores as Scores
    from fashioncnn.executors.processes import Processes as Processes
    from fashioncnn.executors.ray import RayCluster as RayCluster
    from fashioncnn.opening.runs import open_runs as open_runs
    from fashioncnn.opening.trained import Trained as Trained
    from fashioncnn.recipes.load import load as load_recipe
    from fashioncnn.recipes.schema import Recipe as Recipe
    from fashioncnn.runs.directory import Run as Run
    from fashioncnn.runs.directory import open_run as open_run
    from fashioncnn.workflows.attribute import attribute as attribute
    from fashioncnn.workflows.audit import audit as audit
    from fashioncnn.workflows.bench_machine import bench_machine as bench_machine
    from fashioncnn.workflows.bench_predict import bench_predict as bench_predict
    from fashioncnn.workflows.bench_record import bench_record as bench_record
    from fashioncnn.workflows.bench_speed import bench_speed as bench_speed
    from fashioncnn.workflows.check import check as check
    from fashioncnn.workflows.compare import compare as compare
    from fashioncnn.workflows.embed import embed as embed
    from fashioncnn.workflows.evaluate import evaluate as evaluate
    from fashioncnn.workflows.explain import explain as explain
    from fashioncnn.workflows.explore import explore as explore
    from fashioncnn.workflows.export import export as export
    from fashioncnn.workflows.fetch import check_data as check_data
    from fashioncnn.workflows.fetch import fetch_data as fetch_data
    from fashioncnn.workflows.import_data import import_data as import_data
    from fashioncnn.workflows.load import load as load
    from fashioncnn.workflows.new import new as new
    from fashioncnn.workflows.predict import predict as predict
    from fashioncnn.workflows.report import report as report
    from fashioncnn.workflows.serve import serve as serve
    from fashioncnn.workflows.show_data import show_data as show_data
    from fashioncnn.workflows.stress import stress as stress
    from fashioncnn.workflows.train import train as train
    from fashioncnn.workflows.train import train_seeds as train_seeds
    from fashioncnn.workflows.trust import trust as trust
    from fashioncnn.workflows.tune import tune as tune
    from fashioncnn.workflows.unknown import unknown as unknown

__version__ = VERSION

# Where each public name is at home: its module, and how it is called there.
_HOME = {
    "train": "workflows.train:train",
    "train_seeds": "workflows.train:train_seeds",
    "evaluate": "workflows.evaluate:evaluate",
    "stress": "workflows.stress:stress",
    "unknown": "workflows.unknown:unknown",
    "explain": "workflows.explain:explain",
    "attribute": "workflows.attribute:attribute",
    "embed": "workflows.embed:embed",
    "report": "workflows.report:report",
    "compare": "workflows.compare:compare",
    "audit": "workflows.audit:audit",
    "tune": "workflows.tune:tune",
    "trust": "workflows.trust:trust",
    "new": "workflows.new:new",
    "check": "workflows.check:check",
    "load": "workflows.load:load",
    "predict": "workflows.predict:predict",
    "explore": "workflows.explore:explore",
    "export": "workflows.export:export",
    "serve": "workflows.serve:serve",
    "open_bundle": "bundles.bundle:open_bundle",
    "bench_machine": "workflows.bench_machine:bench_machine",
    "bench_speed": "workflows.bench_speed:bench_speed",
    "bench_record": "workflows.bench_record:bench_record",
    "bench_predict": "workflows.bench_predict:bench_predict",
    "fetch_data": "workflows.fetch:fetch_data",
    "check_data": "workflows.fetch:check_data",
    "show_data": "workflows.show_data:show_data",
    "import_data": "workflows.import_data:import_data",
    "open_run": "runs.directory:open_run",
    "open_runs": "opening.runs:open_runs",
    "load_recipe": "recipes.load:load",
    "Bundle": "bundles.bundle:Bundle",
    "DataSet": "data.dataset:DataSet",
    "LabelledImages": "data.images:LabelledImages",
    "Recipe": "recipes.schema:Recipe",
    "Run": "runs.directory:Run",
    "Scores": "evaluation.scores:Scores",
    "Trained": "opening.trained:Trained",
    "Processes": "executors.processes:Processes",
    "RayCluster": "executors.ray:RayCluster",
    "FashionCNNError": "errors:FashionCNNError",
}
__all__ = [  # noqa: RUF022 in the order of use
    "train",
    "train_seeds",
    "evaluate",
    "stress",
    "unknown",
    "explain",
    "attribute",
    "embed",
    "report",
    "compare",
    "audit",
    "tune",
    "trust",
    "new",
    "check",
    "load",
    "predict",
    "explore",
    "export",
    "serve",
    "open_bundle",
    "bench_machine",
    "bench_speed",
    "bench_record",
    "bench_predict",
    "fetch_data",
    "check_data",
    "show_data",
    "import_data",
    "open_run",
    "open_runs",
    "load_recipe",
    "Bundle",
    "DataSet",
    "LabelledImages",
    "Recipe",
    "Run",
    "Scores",
    "Trained",
    "Processes",
    "RayCluster",
    "FashionCNNError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, called = _HOME[name].partition(":")
    try:
        return getattr(import_module(f"fashioncnn.{module}"), called)
    except ModuleNotFoundError as error:
        from fashioncnn.extras import missing

        raise missing(error) or error from None


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
