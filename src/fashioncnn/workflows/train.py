"""train: from a recipe to a run directory with a trained network."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.console.stopping import StopWish, stop_wish
from fashioncnn.data.dataset import DataSet
from fashioncnn.errors import CodeError, RecipeError, Stopped
from fashioncnn.executors.base import Executor, Job, run_jobs
from fashioncnn.executors.here import Here
from fashioncnn.opening.data import Data, open_data
from fashioncnn.recipes.fit import fit
from fashioncnn.recipes.load import Changes, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder
from fashioncnn.sessions.earlier import as_begun, earlier_run
from fashioncnn.sessions.order import Order, train_order
from fashioncnn.sessions.session import AfterEpoch, Wishes, at_size_of, open_session
from fashioncnn.sessions.trial import try_own_code
from fashioncnn.tracking.trackers import TrackerName, check, copy_run
from fashioncnn.training.device import DeviceName, PrecisionName, launched_together
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.handed import as_changes
from fashioncnn.usercode.modules import is_importing

DEFAULT_OUT = Path("runs")


def train(
    recipe: str | Path | Recipe,
    *,
    model: object = None,
    changes: Changes = (),
    seed: int = 0,
    data: Data = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    resume: bool = False,
    track: Sequence[TrackerName] = (),
    after_epoch: AfterEpoch | None = None,
) -> Run:
    """Train `recipe` (a built-in name, a path, or a Recipe) once; see `train_seeds`.

    One at a time in a process: its threads share PyTorch's random numbers.

    With `model`, a network of your own takes the place of the recipe's: a class of nn.Module, a
    function that makes one, or a network; its weights are drawn anew, from the seed.
    """
    (run,) = train_seeds(
        recipe,
        seeds=[seed],
        model=model,
        changes=changes,
        data=data,
        out=out,
        device=device,
        precision=precision,
        resume=resume,
        track=track,
        after_epoch=after_epoch,
    )
    return run


@user_code()
def train_seeds(
    recipe: str | Path | Recipe,
    *,
    seeds: Sequence[int],
    model: object = None,
    changes: Changes = (),
    data: Data = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    resume: bool = False,
    track: Sequence[TrackerName] = (),
    after_epoch: AfterEpoch | None = None,
    executor: Executor | None = None,
) -> list[Run]:
    """Train once a seed, each in a directory of its own, `out`/<recipe>/<time>-s<seed>.

    `changes` are as in "optimizer.learning_rate=0.002", or a mapping; `precision` "auto" leaves it
    to the recipe. With `resume`, a run of the same recipe and seed goes on where it was stopped, a
    finished one is returned as it is, and a missing one is started; `out` may then name one run
    directory. `track` names trackers that get a copy as it grows. `after_epoch` is given each
    epoch's record, as in metrics.jsonl, and answers whether to stop there. `executor` says where
    the seeds are trained: one after the other in this process, in processes of this machine, or on
    a Ray cluster; `after_epoch` is for this process alone. Under torchrun, the processes train
    together; the first one writes and speaks. Raises FashionCNNError with one clear line:
    RecipeError, DataError, RunError, StorageError, DeviceError, TrackingError, WorkerError,
    Diverged; ProcessLost when another of the processes ended; Stopped after Ctrl-C or SIGTERM, or
    when `after_epoch` asks for it, everything saved.
    """
    check(track)
    if is_importing():
        raise CodeError(
            "your file trains while it is imported: put that below if __name__ == '__main__':"
        )
    if model is not None:
        recipe = load(recipe, as_changes(model))
    seeds = _whole(seeds)
    chosen = load(recipe, changes, kept=Path(out) if resume else None)
    if precision != "auto":
        chosen = load(chosen, {"training.precision": precision})
    wishes = Wishes(Path(out), resume, tuple(track), after_epoch)
    runs: dict[int, Run] = {}
    with stop_wish() as wish:
        if executor is None or isinstance(executor, Here):
            with open_session(chosen, open_data(data), device, wishes, wish) as session:
                for seed in seeds:
                    runs[seed] = session.train(seed)
        else:
            opened = at_size_of(chosen, open_data(data))
            chosen = _fitted(chosen, opened, wishes)
            if resume:
                runs |= _finished(chosen, opened.train.digest, wishes.out, seeds)
            order = Order.of(chosen, seeds=(), subfolder="", data=opened.address(), device=device)
            _train_elsewhere(order, seeds, wishes, executor, wish, runs)
    return [runs[seed] for seed in seeds]


def _fitted(recipe: Recipe, data: DataSet, wishes: Wishes) -> Recipe:
    """Return the recipe as it will be trained on `data`, its own code tried."""
    recipe, _ = fit(recipe, data)
    if wishes.resume:
        recipe = as_begun(recipe, wishes.out)
    if recipe.code:
        try_own_code(recipe, data.train)
    return recipe


def _whole(seeds: Sequence[int]) -> list[int]:
    """Return seeds as Python's own numbers. RecipeError for those that are none, or come twice."""
    whole: list[int] = []
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        raise RecipeError(f"seeds is {seeds!r}; it must be a list of whole numbers, as [0, 1, 2]")
    for seed in seeds:
        try:
            number = -1 if isinstance(seed, bool) else operator.index(seed)
        except TypeError:
            number = -1
        if number < 0:
            raise RecipeError(f"seed {seed!r}: it must be a whole number, 0 or more")
        if number in whole:
            raise RecipeError(f"seed {number} is given twice")
        whole.append(number)
    if not whole:
        raise RecipeError("seeds is empty; name one or more, as [0, 1, 2]")
    return whole


def _finished(recipe: Recipe, train_sha256: str, out: Path, seeds: Sequence[int]) -> dict[int, Run]:
    """Return the runs below `out` that are trained to their end, by seed."""
    found = {seed: earlier_run(recipe, out, seed, train_sha256) for seed in seeds}
    return {
        seed: run
        for seed, run in found.items()
        if run and len(run.metrics) == recipe.training.epochs
    }


def _train_elsewhere(
    order: Order,
    seeds: Sequence[int],
    wishes: Wishes,
    executor: Executor,
    wish: StopWish,
    runs: dict[int, Run],
) -> None:
    """Train each seed that has no run yet as a job of its own; add each to `runs` at its end."""
    folder = make_folder(wishes.out)
    jobs = (
        Job(seed, train_order, (order.to_json() | {"seeds": [seed]},))
        for seed in seeds
        if seed not in runs
    )
    try:
        with executor.open(folder) as running:
            for done in run_jobs(running, jobs, _goes_on, lambda: bool(wish)):
                if done.error:
                    raise done.error
                run = runs[done.job.number] = open_run(folder / done.value["runs"][0])
                copy_run(wishes.track, run, say)
                left = len(seeds) - len(runs)
                say(f"seed {done.job.number} is trained: {run.path}; {left} to come")
    except Stopped:
        raise Stopped(f"stopped; {len(runs)} of {len(seeds)} runs are in {folder}") from None


def _goes_on(number: int, reported: object) -> bool:
    del number, reported
    return False


def is_first_process() -> bool:
    """Say whether this process writes and speaks: all do but the further ones of torchrun."""
    return not launched_together() or os.environ["RANK"] == "0"
