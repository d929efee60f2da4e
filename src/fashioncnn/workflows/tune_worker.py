"""A worker of a study: trains the settings that the search hands out; several may run at once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fashioncnn.errors import Diverged, FashionCNNError, RecipeError, Stopped
from fashioncnn.evaluation.intervals import wilson
from fashioncnn.recipes.load import dump
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.files import make_folder, write_text
from fashioncnn.tracking.trackers import TrackerName
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.ranking import describe
from fashioncnn.tuning.search import Answer, SamplerName, Search, Ticket, open_search
from fashioncnn.tuning.space import Space, read_space
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
    log: Sequence[TrackerName] = ()

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
        while not self._is_over() and (ticket := self.search.next()):
            try:
                self._try(ticket)
            except BaseException:
                self.search.give_back(ticket.number)
                raise
            answers = self.search.answered()
            seconds = (time.monotonic() - started) / max(1, len(answers) - at_start)
            say(progress(self.search, ticket, answers, seconds))
            if self.wish:
                raise Stopped(
                    f"stopped after {len(answers)} of {self.search.wanted} settings; all is kept "
                    f"in {self.order.folder}"
                )

    def _try(self, ticket: Ticket) -> None:
        try:
            recipe = self.search.space.apply(ticket.setting)
            accuracies, runs = train_setting(
                recipe,
                self.order,
                self.search.folder,
                None if ticket.finalist else partial(self.search.is_hopeless, ticket.number),
            )
        except (RecipeError, Diverged) as fault:
            self.search.give_up(ticket.number, str(fault))
        except Hopeless:
            self.search.give_up(ticket.number)
        else:
            self.search.complete(ticket.number, accuracies, runs)

    def _is_over(self) -> bool:
        orphaned = self.parent is not None and os.getppid() != self.parent
        late = self.order.deadline is not None and time.time() >= self.order.deadline
        return orphaned or late


def train_setting(
    recipe: Recipe,
    order: Order,
    folder: Path,
    is_hopeless: Callable[[int, float], bool] | None,
) -> tuple[list[float], list[str]]:
    """Train `recipe` with every seed; return the best validation accuracy and the run of each.

    What an earlier, stopped trial of the setting left in `folder` is gone on with. `is_hopeless` is
    asked after each epoch of the first seed, with the epoch and its accuracy; where it says so,
    Hopeless is raised.
    """
    digest = hashlib.sha256(json.dumps(recipe.settings(), sort_keys=True).encode()).hexdigest()
    file = make_folder(folder / "settings" / digest[:12]) / "recipe.toml"
    write_text(file, dump(recipe))
    accuracies, runs = [], []
    for seed in range(order.seeds):
        hopeless = False

        def after_epoch(record: Mapping[str, Any], seed: int = seed) -> bool:
            nonlocal hopeless
            if seed == 0 and is_hopeless is not None:
                hopeless = is_hopeless(record["epoch"], record["val/accuracy"])
            return hopeless

        try:
            with silence():
                run = train(
                    file,
                    seed=seed,
                    data=order.data,
                    out=file.parent,
                    device=order.device,
                    resume=True,
                    log=order.log,
                    after_epoch=after_epoch,
                )
        except Stopped:
            if hopeless:
                raise Hopeless from None
            raise
        accuracies.append(max(record["val/accuracy"] for record in run.metrics))
        runs.append(str(run.path.relative_to(folder)))
    return accuracies, runs


def progress(search: Search, ticket: Ticket, answers: Sequence[Answer], seconds: float) -> str:
    """Say what a setting came to, the best so far, and how long the others will take.

    The best has its 95 % interval over pictures; the ranking's is over seeds, too.
    """
    done = [one for one in answers if one.complete]
    mine = next(one for one in answers if one.number == ticket.number)
    words = f"{mine.accuracy:.2%}" if mine.complete else "given up"
    left = search.wanted - len(answers)
    return (
        f"{len(answers)} of {search.wanted} settings  {describe(ticket.setting)}: {words}"
        + (f"  best {_with_interval(search.space, done)}" if done else "")
        + (f"  about {duration(seconds * left)} left" if left > 0 else "")
    )


def _with_interval(space: Space, done: Sequence[Answer]) -> str:
    best = max(done, key=lambda one: one.accuracy or 0.0)
    pictures = space.apply(best.setting).data.validation_images
    found = wilson(round((best.accuracy or 0.0) * pictures), pictures)
    return f"{found.value:.2%} [{100 * found.low:.2f}, {100 * found.high:.2f}]"


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


if __name__ == "__main__":
    sys.exit(help_out(int(sys.argv[1]), Order(**json.loads(sys.argv[2]))))
