"""Tuning: a grid is tried whole, once, whatever stops it; the answer follows from validation."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

import fashioncnn as fc
from conftest import Cli, make_pictures
from fashioncnn.data.dataset import DataSet
from fashioncnn.errors import SpaceError, Stopped, StudyError
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.recipes.load import load
from fashioncnn.runs import readings
from fashioncnn.sessions import order as orders
from fashioncnn.tuning.open_search import open_search
from fashioncnn.tuning.ranking import Tried, rank
from fashioncnn.tuning.space import read_space
from fashioncnn.workflows.tune import Tuned, tune
from forks import Fork

pytestmark = pytest.mark.usefixtures("tiny_data")

GRID = """
name = "mine"
recipe = "tiny.toml"
[space]
model.dropout = [0.0, 0.3]
optimizer.learning_rate = [0.005, 0.00001]
"""


@pytest.fixture
def space(tiny_recipe: Path) -> Path:
    path = tiny_recipe.with_name("space.toml")
    path.write_text(GRID)
    return path


def quick(recipe: str) -> str:
    """For the real pictures, which no test can replace in another process: small, few steps."""
    small = recipe.replace("[data]", "[data]\nimage_size = 8")
    return small.replace("epochs = 3", "epochs = 1").replace("_size = 32", "_size = 2048")


def trials(tuned: Tuned) -> list[Any]:
    space = read_space(tuned.folder.parent / "space.toml")
    with open_search(space, tuned.folder, sampler="grid") as search:
        return search.study.get_trials()


def table(tuned: Tuned) -> list[tuple[str, float]]:
    return [(str(one.setting), one.accuracy) for one in tuned.ranking.ranks]


def test_a_grid(space: Path, tmp_path: Path) -> None:
    tuned = tune(space, seeds=2, out=tmp_path / "out", device="cpu")
    assert len(tuned.ranking.ranks) + tuned.pruned == 4
    # Every value has an answer, those of hopeless settings too.
    assert {(one.key, one.value) for one in tuned.ranking.values} == {
        ("model.dropout", 0.0),
        ("model.dropout", 0.3),
        ("optimizer.learning_rate", 0.005),
        ("optimizer.learning_rate", 0.00001),
    }
    best = tuned.ranking.best
    assert best.setting["optimizer.learning_rate"] == 0.005
    assert best.seeds == 2
    assert best.low <= best.accuracy <= best.high
    accuracies = [max(record["val/accuracy"] for record in run.metrics) for run in tuned.runs]
    assert best.accuracy == pytest.approx(np.mean(accuracies))
    winner = load(tuned.winner)
    assert winner.model.dropout == best.setting["model.dropout"]  # type: ignore[attr-defined]
    assert winner.optimizer.learning_rate == 0.005
    # Test was read for the winner's runs alone, once each.
    for path in (tmp_path / "out" / "settings").glob("*/tiny/*"):
        read = [line["purpose"] for line in readings.read(fc.Run(path))]
        assert read == (["evaluate"] if path in [run.path for run in tuned.runs] else [])
    assert len(tuned.test_accuracies) == 2
    page = tuned.page.read_text()
    assert f"{100 * best.accuracy:.2f} %" in page
    assert fc.report(tmp_path / "out", out=tmp_path / "again.html").read_text() == page
    kept = json.loads((tmp_path / "out" / "ranking.json").read_text())
    assert kept["ranks"][0]["accuracy"] == best.accuracy
    # Who learns next to nothing is no tie of who learns.
    assert {one.setting["optimizer.learning_rate"] for one in tuned.ranking.ties} <= {0.005}
    shown = tuned.ranking._repr_html_()
    assert all(f"{one.accuracy:.2%}" in shown for one in tuned.ranking.ranks)
    assert f"{100 * (tuned.ranking.ranks[-1].accuracy - best.accuracy):+.2f}" in shown


def test_stopped_and_gone_on_with_it_is_the_same(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune(space, seeds=2, out=tmp_path / "whole", device="cpu")
    calls = 0

    def stopped_now_and_then(*words: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (2, 5):
            raise Stopped("by the user")
        return train_order(*words, **more)

    train_order = orders.train_order
    monkeypatch.setattr("fashioncnn.sessions.study.train_order", stopped_now_and_then)
    for _ in range(2):
        with pytest.raises(Stopped):
            tune(space, seeds=2, out=tmp_path / "parts", resume=True, device="cpu")
    parts = tune(space, seeds=2, out=tmp_path / "parts", resume=True, device="cpu")
    assert table(parts) == table(whole)
    again = tune(space, seeds=2, out=tmp_path / "parts", resume=True, device="cpu")
    assert table(again) == table(whole)
    states = [trial.state.name for trial in trials(again)]
    assert states.count("FAIL") == 2
    finalists = sum("finalist" in trial.user_attrs for trial in trials(again))
    assert states.count("COMPLETE") + states.count("PRUNED") == 4 + finalists


def test_one_setting_can_be_the_finalist_of_two_values(space: Path, tmp_path: Path) -> None:
    with open_search(read_space(space), tmp_path / "out", sampler="grid") as search:
        while ticket := search.next():
            point = tuple(ticket.setting.values())
            if point == (0.0, 0.005):
                search.complete(ticket.number, [0.9], ["run"])
                continue
            if point == (0.3, 0.00001):
                only = ticket.number
                search.is_hopeless(ticket.number, 1, 0.2)
            # The others could not be trained: there is nothing to go on with.
            search.give_up(ticket.number)
        assert search.queue_finalists()
        finalist = search.next()
        assert finalist
        assert tuple(finalist.setting.values()) == (0.3, 0.00001)
        assert search.study.get_trials()[finalist.number].user_attrs["finalist"] == only
        search.give_back(finalist.number)
        again = search.next()
        assert again
        assert again.setting == finalist.setting
        assert search.study.get_trials()[again.number].user_attrs["finalist"] == only
        assert search.next() is None


def test_a_third_of_the_settings_goes_on(tiny_recipe: Path, tmp_path: Path) -> None:
    path = tiny_recipe.with_name("space.toml")
    rates = [0.001, 0.002, 0.003, 0.004, 0.005, 0.006]
    head = GRID.partition("model.dropout")[0]
    path.write_text(f"{head}optimizer.learning_rate = {rates}\n")
    with open_search(read_space(path), tmp_path / "out", sampler="grid") as search:
        given_up = []
        for accuracy in (0.9, 0.1, 0.2, 0.3, 0.4, 0.8):
            ticket = search.next()
            assert ticket
            given_up.append(search.is_hopeless(ticket.number, 1, accuracy))
        # The sixth is among the best two of six.
        assert given_up == [False, True, True, True, True, False]


def test_the_verb(cli: Cli, tiny_recipe: Path, tmp_path: Path) -> None:
    tiny_recipe.write_text(quick(tiny_recipe.read_text()))
    path = tiny_recipe.with_name("space.toml")
    path.write_text(GRID)
    command = ("tune", path, "--seeds", 2, "--workers", 2, "--out", tmp_path / "out")
    told = cli(*command, "--device", "cpu")
    assert told.returncode == 0, told.stderr
    assert "the best on test, read once a run" in told.stdout
    assert "mine: 4 settings by grid, 2 seeds each, in " in told.stderr
    assert re.search(r"4 of 4 settings .*  best \d+\.\d\d% \[\d+\.\d\d, \d+\.\d\d\]", told.stderr)
    again = cli("tune", path, "--seeds", 2, "--out", tmp_path / "out", "--resume", "--json")
    assert again.returncode == 0, again.stderr
    values = json.loads(again.stdout)
    assert Path(values["winner"]).exists()
    assert f"{values['ranks'][0]['accuracy']:.2%}" in told.stdout
    refused = cli("tune", path, "--grid", "--trials", 3, "--out", tmp_path / "new")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    refused = cli("tune", path, "--grid", "--sampler", "tpe")
    assert refused.returncode == 2


def test_random_settings_differ(tiny_recipe: Path, tmp_path: Path) -> None:
    path = tiny_recipe.with_name("space.toml")
    path.write_text(
        'name = "mine"\nrecipe = "tiny.toml"\n[space]\n'
        "optimizer.learning_rate = { low = 0.001, high = 0.01, log = true }\n"
    )
    tune(path, sampler="random", trials=2, out=tmp_path / "out", device="cpu")
    tuned = tune(path, sampler="random", trials=4, out=tmp_path / "out", resume=True, device="cpu")
    rates = [trial.params["optimizer.learning_rate"] for trial in _trials(path, tuned, "random")]
    assert len(set(rates)) == len(rates) == 4
    assert all(0.001 <= rate <= 0.01 for rate in rates)


def _trials(path: Path, tuned: Tuned, sampler: Any) -> list[Any]:
    with open_search(read_space(path), tuned.folder, sampler=sampler) as search:
        return search.study.get_trials()


def test_what_cannot_be_tuned_is_said(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tune(space, out=out, device="cpu")
    with pytest.raises(StudyError, match="holds a study: --resume"):
        tune(space, out=out)
    with pytest.raises(StudyError, match="begun with 1 seeds, not 2"):
        tune(space, seeds=2, out=out, resume=True)
    other = DataSet.of(make_pictures(600, 5), make_pictures(200, 6))
    with pytest.raises(StudyError, match="begun with other pictures"):
        tune(space, out=out, resume=True, data=other)
    for wish in ({"seeds": 0}, {"trials": 0}, {"budget_minutes": -1}):
        with pytest.raises(SpaceError, match="it must be more than 0"):
            tune(space, out=out, **wish)  # type: ignore[arg-type]
    with pytest.raises(SpaceError, match="sampler is 'x'; it must be grid or tpe or random"):
        tune(space, sampler="x", out=out)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="begun with another sampler"):
        tune(space, sampler="random", out=out, resume=True)
    space.write_text(GRID.replace("0.3", "0.4"))
    with pytest.raises(StudyError, match="begun with another space"):
        tune(space, out=out, resume=True)
    space.write_text(GRID + "data.split_seed = [1, 2]\n")
    with pytest.raises(SpaceError, match=r"data\.split_seed varies; settings are ranked on the"):
        tune(space, out=tmp_path / "other")
    space.write_text(GRID)
    recipe = space.with_name("tiny.toml")
    text = recipe.read_text()
    recipe.write_text(text.replace("epochs = 3", "epochs = 2"))
    with pytest.raises(StudyError, match="the recipe changed since the study in"):
        tune(space, out=out, resume=True)
    recipe.write_text(text)
    space.write_text(GRID + "data.validation_images = [0]\n")
    with pytest.raises(SpaceError, match="sets no pictures aside to select by"):
        tune(space, out=tmp_path / "other")
    space.write_text(GRID)
    with pytest.raises(StudyError, match="cannot use postgresql://nowhere"):
        tune(space, out=tmp_path / "third", storage="postgresql://nowhere/x")


def test_the_best_of_many_is_marked_as_any_pair_would_be() -> None:
    """McNemar's p for 9 to none is 0.004: below 5 % for ten against one, not for 45 pairs."""

    def answers(wrong: int) -> Predictions:
        right = np.arange(500) >= wrong
        logits = np.stack([~right, right], axis=1).astype(np.float32)
        return Predictions(logits, np.ones(500, np.int64), np.arange(500), ("a", "b"))

    for wrong, told in ((9, False), (20, True)):
        tried = [Tried(number, {"x": number}, (answers(wrong),)) for number in range(1, 10)]
        ranking = rank([*tried[::-1], Tried(0, {"x": 0}, (answers(0),))], ["x"])
        # Equal ones in the order of their numbers.
        assert [one.number for one in ranking.ranks] == list(range(10))
        assert ranking.best.number == 0
        assert {one.distinguishable for one in ranking.ranks[1:]} == {told}


def test_a_setting_that_diverges_or_does_not_fit_is_pruned(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    path = tiny_recipe.with_name("space.toml")
    path.write_text(
        'name = "mine"\nrecipe = "tiny.toml"\n[space]\n'
        'optimizer.learning_rate = [0.005, 1e30]\noptimizer.name = ["sgd"]\n'
        "schedule.warmup_epochs = [0.0, 2.5]\ntraining.epochs = [2, 3]\n"
    )
    tuned = tune(path, out=tmp_path / "out", device="cpu")
    faults = [trial.user_attrs.get("fault", "") for trial in _trials(path, tuned, "grid")]
    assert sum("not finite" in fault for fault in faults) >= 1
    assert sum("warmup_epochs is 2.5" in fault for fault in faults) == 2


def ask_until_all_are_taken(path: Path, out: Path) -> None:
    with open_search(read_space(path), out, sampler="grid") as search:
        while trial := search.next():
            sys.stdout.write(f"asked {trial.number}\n")
            search.complete(trial.number, [0.5], ["somewhere"])
            sys.stdout.write(f"told {trial.number}\n")
            sys.stdout.flush()


def test_a_grid_that_was_queued_twice_is_tried_once(space: Path, tmp_path: Path) -> None:
    found = read_space(space)
    with open_search(found, tmp_path / "out", sampler="grid") as search:
        for trial in search.study.get_trials():
            search.study.enqueue_trial(trial.system_attrs["fixed_params"])
        asked = []
        while taken := search.next():
            asked.append(taken.setting)
            search.complete(taken.number, [0.5], ["somewhere"])
    assert asked == found.grid()


def test_what_a_worker_left_is_tried_again_and_what_one_has_is_not(
    space: Path, tmp_path: Path
) -> None:
    found, out = read_space(space), tmp_path / "out"
    with open_search(found, out, sampler="grid") as living:
        taken = living.next()
        with open_search(found, out, sampler="grid") as gone:
            left = gone.next()
            # Killed before it had signed the trials.
            unsigned = [gone.study.ask(), gone.study.ask()]
        assert taken
        assert left
        with open_search(found, out, sampler="grid") as third:
            asked = []
            while ticket := third.next():
                asked.append(ticket.setting)
                third.complete(ticket.number, [0.5], ["somewhere"])
    assert left.setting in asked
    others = [one for one in found.grid() if one != taken.setting]
    assert sorted(map(str, asked)) == sorted(map(str, others))
    trials = third.study.get_trials()
    assert {trials[one.number].state.name for one in unsigned} == {"FAIL"}
    assert trials[taken.number].state.name == "RUNNING"


def test_four_workers_killed_twenty_times(tmp_path: Path, tiny_recipe: Path) -> None:
    """No finished trial is lost or run twice, and every setting comes to an answer."""
    chance = np.random.default_rng(11)
    path = tiny_recipe.with_name("space.toml")
    rates = [round(0.001 * number, 3) for number in range(1, 401)]
    path.write_text(
        f'name = "mine"\nrecipe = "tiny.toml"\n[space]\noptimizer.learning_rate = {rates}\n'
    )
    out = tmp_path / "out"
    journal = out / "study.journal"

    def start(number: int) -> Fork:
        return Fork(tmp_path / f"said-{number}", ask_until_all_are_taken, path, out)

    workers = [start(number) for number in range(4)]
    begun = list(workers)
    while not workers[0].stdout:
        time.sleep(0.01)
    killed = 0
    for kill in range(20):
        time.sleep(chance.uniform(0.02, 0.15))
        victim = int(chance.integers(4))
        workers[victim].send(signal.SIGKILL)
        killed += workers[victim].wait() == -signal.SIGKILL
        with FileLock(f"{journal}.lock"), journal.open("ab") as file:
            file.write(b'{"op_code": 4, "worker_id": "torn')
        workers[victim] = start(4 + kill)
        begun.append(workers[victim])
    for worker in workers:
        assert worker.wait(timeout_seconds=120) == 0
    assert killed > 15
    told = [
        int(line.split()[1])
        for worker in begun
        for line in worker.stdout.split("\n")[:-1]
        if line.startswith("told")
    ]
    with open_search(read_space(path), out, sampler="grid") as search:
        answered = search.outcomes()
    assert len(told) == len(set(told))
    assert set(told) <= {trial.number for trial in answered}
    assert sorted(one.setting["optimizer.learning_rate"] for one in answered) == rates
