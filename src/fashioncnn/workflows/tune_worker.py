"""A worker of a study: trains the settings that the search hands out; several may run at once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from optuna.trial import FrozenTrial, Trial, TrialState

from fashioncnn.errors import Diverged, FashionCNNError, RecipeError, Stopped
from fashioncnn.recipes.load import dump
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import open_run
from fashioncnn.runs.files import make_folder, write_text
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.ranking import Tried, describe
from fashioncnn.tuning.search import FINALIST, SamplerName, Search, open_search
from fashioncnn.tuning.space import Setting, Space, read_space
from fashioncnn.workflows.evaluate import evaluate, predictions_of
from fashioncnn.workflows.say import duration, say, silence
from fashioncnn.workflows.stopping import StopWish, stop_wish
from fashioncnn.workflows.train import train


@dataclass(frozen=True)
class Order:
    """What every worker of a study is told; plain values, so that it travels as JSON.

    `deadline` is in seconds since 1970: no setting is begun after it.
    """

    space: str
    sampler: SamplerName
    trials: int
    seeds: int
    folder: str
    storage: str | None
    data: str | None
    device: DeviceName
    deadline: float | None

    def search(self, space: Space, index: int = 0) -> AbstractContextManager[Search]:
        """Open the study, as the worker number `index`."""
        return open_search(
            space,
            Path(self.folder),
            sampler=self.sampler,
            trials=self.trials,
            address=self.storage,
            index=index,
        )


class Hopeless(Exception):
    """Raised when successive halving gives a setting up."""


@dataclass(frozen=True)
class Worker:
    """Trains what the search asks for, until all is tried, the time is up, or the user stops it.

    A worker with a `parent` process ends with it, too.
    """

    search: Search
    order: Order
    wish: StopWish
    parent: int | None = None

    def work(self) -> None:
        """Try settings one after the other. Raises Stopped when the user asks for it."""
        started, at_start = time.monotonic(), len(self.search.answered())
        while not self._is_over() and (trial := self.search.next()):
            try:
                self._try(trial)
            except BaseException:
                self.search.give_back(trial.number)
                raise
            done, wanted = len(self.search.answered()), self.search.wanted
            seconds = (time.monotonic() - started) / max(1, done - at_start)
            self._tell(trial, done, wanted, seconds)
            if self.wish:
                raise Stopped(
                    f"stopped after {done} of {wanted} settings; all is kept in {self.order.folder}"
                )

    def tried(self, trial: FrozenTrial) -> Tried | None:
        """Return a setting that was trained to its end, with what it answers on validation."""
        if trial.state != TrialState.COMPLETE:
            return None
        predictions = []
        for path in trial.user_attrs["runs"]:
            run = open_run(self.search.folder / path)
            evaluate(run, split="validation", data=self.order.data, device=self.order.device)
            predictions.append(predictions_of(run, "validation"))
        return Tried(trial.number, setting_of(trial), tuple(predictions))

    def _try(self, trial: Trial) -> None:
        study, setting = self.search.study, self.search.setting(trial)
        try:
            accuracies, runs = self._train(trial, self.search.space.apply(setting))
        except (RecipeError, Diverged) as fault:
            trial.set_user_attr("fault", str(fault))
            study.tell(trial, state=TrialState.PRUNED)
        except Hopeless:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            trial.set_user_attr("accuracies", accuracies)
            trial.set_user_attr("runs", runs)
            study.tell(trial, sum(accuracies) / len(accuracies))

    def _train(self, trial: Trial, recipe: Recipe) -> tuple[list[float], list[str]]:
        """Train every seed; what an earlier, stopped trial of the setting left is gone on with."""
        digest = hashlib.sha256(json.dumps(recipe.settings(), sort_keys=True).encode()).hexdigest()
        file = make_folder(self.search.folder / "settings" / digest[:12]) / "recipe.toml"
        write_text(file, dump(recipe))
        accuracies, runs = [], []
        for seed in range(self.order.seeds):
            hopeless = False

            def after_epoch(record: Mapping[str, Any], seed: int = seed) -> bool:
                nonlocal hopeless
                if seed == 0 and FINALIST not in trial.user_attrs:
                    trial.report(record["val/accuracy"], record["epoch"])
                    hopeless = trial.should_prune()
                return hopeless

            try:
                with silence():
                    run = train(
                        file,
                        seed=seed,
                        data=self.order.data,
                        out=file.parent,
                        device=self.order.device,
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

    def _is_over(self) -> bool:
        orphaned = self.parent is not None and os.getppid() != self.parent
        late = self.order.deadline is not None and time.time() >= self.order.deadline
        return orphaned or late

    def _tell(self, trial: Trial, done: int, wanted: int, seconds: float) -> None:
        answered = self.search.answered()
        # A pruned trial has a value as well: the last that it reported.
        values = {
            one.number: one.value
            for one in answered
            if one.state == TrialState.COMPLETE and one.value is not None
        }
        mine = next(one for one in answered if one.number == trial.number)
        words = f"{values[trial.number]:.2%}" if trial.number in values else "given up"
        say(
            f"{done} of {wanted} settings  {describe(setting_of(mine))}: {words}"
            + (f"  best {max(values.values()):.2%}" if values else "")
            + (f"  about {duration(seconds * (wanted - done))} left" if done < wanted else "")
        )


@contextmanager
def helpers(order: Order, number: int) -> Iterator[None]:
    """Run that many further workers, each a process with its share of the processor.

    On the way out they are waited for, or asked to stop where the work inside was stopped.
    """
    threads = torch.get_num_threads()
    share = max(1, threads // (number + 1))
    torch.set_num_threads(share)
    processes = []
    try:
        for index in range(1, number + 1):
            command = [sys.executable, "-m", "fashioncnn.workflows.tune_worker", str(index)]
            environment = {**os.environ, "OMP_NUM_THREADS": str(share)}
            command.append(json.dumps(asdict(order)))
            processes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL))
        yield
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.wait()
        torch.set_num_threads(threads)


def help_out(index: int, order: Order) -> int:
    """Be the worker number `index` of a study; return the exit status."""
    try:
        with stop_wish() as wish, order.search(read_space(order.space), index) as search:
            Worker(search, order, wish, os.getppid()).work()
    except Stopped:
        return Stopped.exit_status
    except FashionCNNError as error:
        say(f"worker {index} ended: {error}")
        return error.exit_status
    return 0


def setting_of(trial: FrozenTrial) -> Setting:
    """Return a trial's setting as it stands in a recipe: choices travel as JSON."""
    return {
        key: json.loads(value) if isinstance(value, str) else value
        for key, value in trial.params.items()
    }


if __name__ == "__main__":
    sys.exit(help_out(int(sys.argv[1]), Order(**json.loads(sys.argv[2]))))
