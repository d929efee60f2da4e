"""tune: from a search space to a ranking of settings, and the best one as a recipe."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

from fashioncnn.errors import Diverged, RecipeError, SpaceError, Stopped, StudyError
from fashioncnn.recipes.load import dump
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, to_json, write_text
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.ranking import Ranking, Tried, describe, rank
from fashioncnn.tuning.search import SamplerName, Search, open_search
from fashioncnn.tuning.space import Space, read_space
from fashioncnn.workflows.evaluate import evaluate, predictions_of
from fashioncnn.workflows.say import duration, say, silence
from fashioncnn.workflows.stopping import StopWish, stop_wish
from fashioncnn.workflows.train import train

DEFAULT_OUT = Path("studies")
DEFAULT_TRIALS = 30


@dataclass(frozen=True)
class Tuned:
    """What a study came to: its folder, the ranking, and the runs of the best setting.

    `test_accuracies` are those of the best setting's runs, read once for each; empty where test
    was not to be read.
    """

    folder: Path
    ranking: Ranking
    winner: Path
    runs: tuple[Run, ...]
    pruned: int
    test_accuracies: tuple[float, ...]


def tune(
    space: str | Path,
    *,
    sampler: SamplerName = "grid",
    trials: int = DEFAULT_TRIALS,
    seeds: int = 1,
    budget_minutes: float | None = None,
    out: Path | str | None = None,
    storage: str | None = None,
    resume: bool = False,
    data: Path | str | None = None,
    device: DeviceName = "auto",
) -> Tuned:
    """Try settings of `space` (a built-in name, or a path), rank them by validation accuracy.

    Every setting is trained with `seeds` seeds; hopeless ones are given up early, by successive
    halving on the first seed (Jamieson and Talwalkar, arXiv 1502.07943). The study lies in `out`,
    by default studies/<space>; with `resume` it goes on where it was stopped. Test is read for the
    best setting alone, once a run. Raises SpaceError, StudyError, RunError, Stopped.
    """
    chosen = read_space(space)
    _check_validation(chosen)
    folder = make_folder(Path(out or DEFAULT_OUT / chosen.name))
    if not resume and (folder / "study.json").exists():
        raise StudyError(
            f"{folder} holds a study: --resume goes on with it, or choose another --out"
        )
    facts = {"space": chosen.name, "sampler": sampler, "trials": trials, "seeds": seeds}
    write_text(folder / "study.json", to_json(facts))
    deadline = time.monotonic() + 60 * budget_minutes if budget_minutes else None
    with (
        stop_wish() as wish,
        open_search(
            chosen, folder, sampler=sampler, trials=trials, address=storage, seed=0
        ) as search,
    ):
        worker = Worker(search, seeds, data, device, deadline, wish)
        worker.work()
        tried = [one for trial in search.answered() if (one := worker.tried(trial))]
        pruned = sum(trial.state == TrialState.PRUNED for trial in search.answered())
    if not tried:
        raise StudyError(f"{folder}: no setting was trained to its end yet")
    return _conclude(chosen, folder, tried, pruned, worker)


@dataclass(frozen=True)
class Worker:
    """Trains what the search asks for, until all is tried, the time is up, or the user stops it."""

    search: Search
    seeds: int
    data: Path | str | None
    device: DeviceName
    deadline: float | None
    wish: StopWish

    def work(self) -> None:
        """Try settings one after the other. Raises Stopped when the user asks for it."""
        started, at_start = time.monotonic(), len(self.search.answered())
        while not self._time_is_up() and (trial := self.search.next()):
            try:
                self._try(trial)
            except BaseException:
                self.search.give_back(trial.number)
                raise
            self._tell_progress(started, at_start)
            if self.wish:
                raise Stopped(f"stopped; everything is kept in {self.search.folder}: --resume")

    def tried(self, trial: FrozenTrial) -> Tried | None:
        """Return a finished trial with its predictions for the validation pictures."""
        if trial.state != TrialState.COMPLETE:
            return None
        setting = {key: _plain(value) for key, value in trial.params.items()}
        predictions = []
        for path in trial.user_attrs["runs"]:
            run = open_run(self.search.folder / path)
            evaluate(run, split="validation", data=self.data, device=self.device)
            predictions.append(predictions_of(run, "validation"))
        return Tried(trial.number, setting, tuple(predictions))

    def _try(self, trial: Trial) -> None:
        study = self.search.study
        try:
            accuracies, runs = self._train(
                trial, self.search.space.apply(self.search.setting(trial))
            )
        except (RecipeError, Diverged) as fault:
            trial.set_user_attr("fault", str(fault))
            study.tell(trial, state=TrialState.PRUNED)
            return
        except Hopeless:
            study.tell(trial, state=TrialState.PRUNED)
            return
        trial.set_user_attr("accuracies", accuracies)
        trial.set_user_attr("runs", runs)
        study.tell(trial, sum(accuracies) / len(accuracies))

    def _train(self, trial: Trial, recipe: Recipe) -> tuple[list[float], list[str]]:
        """Train every seed; what an earlier, stopped trial of the setting left is gone on with."""
        digest = hashlib.sha256(json.dumps(recipe.settings(), sort_keys=True).encode()).hexdigest()
        out = Path("settings") / digest[:12]
        file = make_folder(self.search.folder / out) / "recipe.toml"
        write_text(file, dump(recipe))
        accuracies, runs = [], []
        for seed in range(self.seeds):
            hopeless = False

            def after_epoch(record: Mapping[str, Any], seed: int = seed) -> bool:
                nonlocal hopeless
                if seed == 0:
                    trial.report(record["val/accuracy"], record["epoch"])
                    hopeless = trial.should_prune()
                return hopeless

            try:
                with silence():
                    run = train(
                        file,
                        seed=seed,
                        data=self.data,
                        out=file.parent,
                        device=self.device,
                        resume=True,
                        after_epoch=after_epoch,
                    )
            except Stopped:
                if hopeless:
                    raise Hopeless from None
                raise
            accuracies.append(max(record["val/accuracy"] for record in run.metrics))
            runs.append(str(run.path.relative_to(self.search.folder)))
        return accuracies, runs

    def _time_is_up(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _tell_progress(self, started: float, at_start: int) -> None:
        answered = self.search.answered()
        done, wanted = len(answered), self.search.wanted
        best = max((trial.value or 0.0 for trial in answered), default=0.0)
        seconds = (time.monotonic() - started) / max(1, done - at_start)
        last = answered[-1]
        words = f"{last.value:.2%}" if last.value is not None else "given up"
        say(
            f"{done} of {wanted} settings  {describe(_decoded(last))}: {words}  best {best:.2%}"
            f"  about {duration(seconds * max(0, wanted - done))} left"
        )


class Hopeless(Exception):
    """Raised when successive halving gives a setting up."""


def _conclude(space: Space, folder: Path, tried: list[Tried], pruned: int, worker: Worker) -> Tuned:
    ranking = rank(tried, list(space.keys))
    write_text(folder / "ranking.json", to_json(ranking.to_json()))
    best = ranking.best
    recipe = space.apply(best.setting)
    winner = folder / "winner.toml"
    write_text(winner, dump(recipe.model_copy(update={"name": f"{space.name}-winner"[:64]})))
    trial = worker.search.study.get_trials(deepcopy=False)[best.number]
    runs = tuple(open_run(folder / path) for path in trial.user_attrs["runs"])
    say(f"reading test for the best setting, once for each of its {len(runs)} runs")
    accuracies = tuple(
        evaluate(run, data=worker.data, device=worker.device).accuracy for run in runs
    )
    return Tuned(folder, ranking, winner, runs, pruned, accuracies)


def _check_validation(space: Space) -> None:
    setting = {
        key: values.values[0] if hasattr(values, "values") else values.low
        for key, values in space.keys.items()
    }
    if not space.apply(setting).data.validation_images:
        raise SpaceError(
            f"space {space.name}: recipe {space.recipe} sets no pictures aside to select by; add "
            "data.validation_images = [5000] to [space]"
        )


def _decoded(trial: FrozenTrial) -> dict[str, Any]:
    return {key: _plain(value) for key, value in trial.params.items()}


def _plain(value: Any) -> Any:
    """Return a parameter as it stands in a recipe: choices travel as JSON."""
    return json.loads(value) if isinstance(value, str) else value
