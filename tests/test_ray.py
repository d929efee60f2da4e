"""Trainings on a Ray cluster of several nodes, one of which is killed in the middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fashioncnn as fc
from conftest import use_tiny_data
from fashioncnn.errors import WorkerError
from fashioncnn.executors.ray import RayCluster, pack, unpack
from fashioncnn.runs.directory import open_run
from fashioncnn.tuning.open_search import open_search
from fashioncnn.tuning.space import read_space
from fashioncnn.workflows.tune import tune

ray = pytest.importorskip("ray")

GRID = """
name = "mine"
recipe = "tiny.toml"
[space]
optimizer.learning_rate = [0.005, 0.003, 0.001, 0.0005]
"""


def quick(recipe: str) -> str:
    """For real pictures, which the nodes read: small ones, few steps."""
    return recipe.replace("[data]", "[data]\nimage_size = 8").replace("_size = 32", "_size = 2048")


@pytest.fixture(scope="module")
def few_pictures(first_real: Callable[[int, int], Path]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, first_real(20_000, 1000))
        yield


@pytest.fixture(scope="module")
def nodes(few_pictures: None) -> Iterator[Any]:
    """A node of one processor, as processes of this machine; a test adds others for a while."""
    from ray.cluster_utils import Cluster as Nodes

    head = {"num_cpus": 1, "include_dashboard": False}
    nodes: Any = Nodes(initialize_head=True, head_node_args=head)
    yield nodes
    nodes.shutdown()


# Before there is one, which "auto" would find.
@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "auto", "killed"])
def test_a_cluster_that_is_not_there(
    address: str, tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_recipe.with_name("space.toml")
    path.write_text(GRID)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    if address == "killed":
        address, left = "auto", tmp_path / "ray" / "ray_current_cluster"
        left.parent.mkdir()
        left.write_text("127.0.0.1:1")
    with pytest.raises(WorkerError, match="no Ray cluster at"):
        tune(path, out=tmp_path / "out", executor=RayCluster(address), device="cpu", resume=True)


def test_a_node_is_killed_and_every_setting_is_finished_once(
    nodes: Any, tiny_recipe: Path, tmp_path: Path
) -> None:
    others = [nodes.add_node(num_cpus=1), nodes.add_node(num_cpus=1)]
    tiny_recipe.write_text(quick(tiny_recipe.read_text()))
    path = tiny_recipe.with_name("space.toml")
    path.write_text(GRID)
    out = tmp_path / "out"

    def kill() -> None:
        # When the first settings are finished, every node works on another.
        while not list(out.glob("settings/*/tiny/*/recipe.toml")):
            time.sleep(0.1)
        # A driver belongs to one of the nodes; its own is not the one to lose.
        mine = ray.get_runtime_context().get_node_id()
        lost = next(one for one in others if one.node_id != mine)
        others.remove(lost)
        nodes.remove_node(lost, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    tuned = tune(path, out=out, executor=RayCluster(nodes.address), device="cpu")
    killer.join()
    for other in others:
        nodes.remove_node(other)
    with open_search(read_space(path), out, sampler="grid") as search:
        answers = search.outcomes()
        states = [trial.state.name for trial in search.study.get_trials()]
    rates = sorted(one.setting["optimizer.learning_rate"] for one in answers)
    assert rates == [0.0005, 0.001, 0.003, 0.005]
    assert "FAIL" not in states
    for answer in answers:
        assert answer.complete == bool(answer.runs)
        assert all(len(open_run(out / run).metrics) == 3 for run in answer.runs)
    assert tuned.page.exists()


def test_seeds_as_tasks(nodes: Any, tiny_recipe: Path, tmp_path: Path) -> None:
    tiny_recipe.write_text(quick(tiny_recipe.read_text()))
    out, cluster = tmp_path / "runs", RayCluster(nodes.address)
    runs = fc.train_seeds(
        tiny_recipe, seeds=[0, 1], executor=cluster, out=out, changes=["training.epochs=1"]
    )
    assert [run.seed for run in runs] == [0, 1]
    here = fc.train(tiny_recipe, seed=1, changes=["training.epochs=1"], out=tmp_path, device="cpu")
    assert fc.evaluate(runs[1]).accuracy == pytest.approx(fc.evaluate(here).accuracy, abs=0.02)
    again = fc.train_seeds(
        tiny_recipe,
        seeds=[0, 1],
        executor=cluster,
        out=out,
        changes=["training.epochs=1"],
        resume=True,
    )
    assert again == runs


def test_a_network_of_ones_own_travels_to_the_nodes(nodes: Any, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WIDTH = 4\n")
    (tmp_path / "mine.py").write_text(
        "from beside import WIDTH\n"
        "from torch import nn\n\n\n"
        "class Mine(nn.Sequential):\n"
        "    def __init__(self, dropout=0.0, *, classes):\n"
        "        super().__init__(nn.Conv2d(1, WIDTH, 3, 2), nn.ReLU(), nn.Flatten(),\n"
        "                         nn.Dropout(dropout), nn.LazyLinear(classes))\n"
    )
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[data]\nimage_size = 8\n[model]\nfamily = "mine.py:Mine"\n'
        "[training]\nepochs = 1\nbatch_size = 2048\n"
    )
    space = tmp_path / "space.toml"
    space.write_text('name = "own"\nrecipe = "mine.toml"\n[space]\nmodel.dropout = [0.0, 0.4]\n')
    out = tmp_path / "out"
    tuned = tune(space, out=out, executor=RayCluster(nodes.address), device="cpu")
    assert {rank.setting["model.dropout"] for rank in tuned.ranking.ranks} == {0.0, 0.4}
    for run in tuned.runs:
        assert (run.path / "code" / "mine.py").read_text() == (tmp_path / "mine.py").read_text()
        assert (run.path / "code" / "beside.py").is_file()


def test_folders_travel_whole(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "file").write_bytes(b"content")
    unpack(pack(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "b" / "deep" / "file").read_bytes() == b"content"
