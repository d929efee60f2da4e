"""bench speed: time, accuracy and cost of recipes over seeds, beside other ways to train."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fashioncnn.benchmarking import commands
from fashioncnn.benchmarking.cost import training_flops_an_image
from fashioncnn.benchmarking.machine import Machine, matrix_peak, measure_machine
from fashioncnn.benchmarking.peers import DEFAULT_FOLDER, check_peer, environment, measure_peer
from fashioncnn.benchmarking.ways import Measured, Metrics, Way
from fashioncnn.console.say import duration, say, silence
from fashioncnn.errors import BenchmarkError, Stopped
from fashioncnn.opening.data import open_data
from fashioncnn.recipes.fit import fit
from fashioncnn.recipes.load import load
from fashioncnn.runs import artifacts
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder
from fashioncnn.sessions.session import AfterEpoch, at_size_of
from fashioncnn.training.device import DeviceName, PrecisionName, choose_device
from fashioncnn.workflows.evaluate import evaluate
from fashioncnn.workflows.train import train

DEFAULT_OUT = Path("bench")


def bench_speed(
    recipes: str | Sequence[str],
    *,
    seeds: int = 10,
    against: Sequence[str] = (),
    peer_seeds: int | None = None,
    data: Path | str | None = None,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    out: Path | str = DEFAULT_OUT,
    peers: Path | str | None = None,
    resume: bool = False,
    warm: bool = False,
) -> dict[str, Path]:
    """Train and test every recipe `seeds` times, alternating with the peers `against`.

    Every training is a process of its own, one after the other: first each way with seed 0, then
    each with seed 1, and so on, so that a machine whose speed drifts treats all alike. With `warm`,
    recipes train in this process, each for half of its epochs before it is counted: a GPU's
    libraries take seconds to start, which is more than some trainings. Peers run with the first
    `peer_seeds` seeds. After each training the result files in `out`, one a way, are written anew;
    with `resume`, seeds that they hold are not run again. Returns the files.

    `train/seconds` runs from pictures in memory to the final weights, first-step warm-up included
    (also given alone); `run/seconds` is the whole of the commands `train` and `evaluate`. Raises
    BenchmarkError when a training fails, RecipeError for an unknown recipe, Stopped after Ctrl-C.
    """
    recipes = [recipes] if isinstance(recipes, str) else recipes
    if not recipes:
        raise BenchmarkError("bench speed: no recipe was given")
    if min(seeds, peer_seeds or seeds) < 1:
        raise BenchmarkError(f"seeds is {min(seeds, peer_seeds or seeds)}; it must be 1 or more")
    folder, peers = make_folder(Path(out)), Path(peers or DEFAULT_FOLDER)
    for name in against:
        check_peer(name, peers)
    if against:
        say("making the peers' environment, where it is not there yet")
        environment(peers)
    chosen = choose_device(device)
    ways = [
        _recipe_way(_Trainings(recipe, data, device, precision), seeds, chosen, warm)
        for recipe in recipes
    ]
    ways += [
        Way(name, peer_seeds or seeds, partial(measure_peer, name, peers), {"peer": name})
        for name in against
    ]
    measured = Measured(folder, ways, against, resume)
    _measure_missing(measured, measure_machine(chosen), folder)
    return measured.files


def _measure_missing(measured: Measured, machine: Machine, folder: Path) -> None:
    progress = _Progress(len(measured.missing))
    for way, seed in measured.missing:
        try:
            metrics = way.once(seed)
        except (KeyboardInterrupt, Stopped):
            kept = f"; {folder} holds what came before" if any(folder.glob("*.json")) else ""
            raise Stopped(f"stopped in {way.name}, seed {seed}{kept}") from None
        measured.add(way, metrics, machine)
        progress.one_more(way.name, seed, metrics)


def _recipe_way(trainings: _Trainings, seeds: int, chosen: torch.device, warm: bool) -> Way:
    recipe, precision = load(trainings.origin), trainings.precision
    opened = at_size_of(recipe, open_data(trainings.data))
    fitted, _ = fit(recipe, opened)
    flops = training_flops_an_image(fitted, len(opened.class_names), opened.shape)
    name = recipe.name if precision == "auto" else f"{recipe.name}-{precision}"
    train_and_test = trainings.here if warm else trainings.apart
    began = not warm

    def once(seed: int) -> Metrics:
        nonlocal began
        with tempfile.TemporaryDirectory() as out:
            if not began:
                trainings.begin(recipe.training.epochs, Path(out))
                began = True
            run, seconds, memory_mib = train_and_test(seed, Path(out))
            records = run.metrics
            train_seconds = sum(record["train/seconds"] for record in records)
            rate = sum(record["train/images"] for record in records) / train_seconds
            peak = matrix_peak(chosen, run.provenance["precision"])
            return {
                "train/seconds": train_seconds,
                "train/warm_up_seconds": records[0]["train/first_step_seconds"],
                "run/seconds": seconds,
                "train/images_per_second": rate,
                "train/peak_share": rate * flops / 1e9 / peak,
                "train/peak_memory_mib": memory_mib,
                **artifacts.scores().read(run.path / artifacts.scores().path)[0].metrics(),
            }

    facts = {
        "recipe": recipe.name,
        "settings": recipe.settings(),
        "training_flops_an_image": flops,
        "precision": precision,
        "warm": warm,
    }
    return Way(name, seeds, once, facts)


@dataclass(frozen=True)
class _Trainings:
    """Trainings of one recipe, each below a folder `out`.

    `apart` and `here` return the run, the seconds of training and testing, and MiB of memory.
    """

    origin: str
    data: Path | str | None
    device: DeviceName
    precision: PrecisionName

    def apart(self, seed: int, out: Path) -> tuple[Run, float, float]:
        """Train and test in processes of their own."""
        options = ["--device", self.device]
        options += [] if self.data is None else ["--data", str(self.data)]
        trained = commands.fashioncnn(
            *("train", self.origin, "--seed", str(seed), "--out", str(out)),
            *("--precision", self.precision, *options),
        )
        run = open_run(Path(trained.answer["runs"][0]))
        evaluated = commands.fashioncnn("evaluate", str(run.path), *options)
        return run, trained.seconds + evaluated.seconds, trained.peak_memory_mib

    def here(self, seed: int, out: Path) -> tuple[Run, float, float]:
        """Train and test in this process; of a GPU, the memory is its own."""
        started = time.perf_counter()
        on_gpu = choose_device(self.device).type == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        with silence():
            run = self._train(seed, out)
            evaluate(run, data=self.data, device=self.device)
        seconds = time.perf_counter() - started
        if on_gpu:
            return run, seconds, torch.cuda.max_memory_allocated() / 2**20
        return run, seconds, commands.peak_memory_mib(resource.getrusage(resource.RUSAGE_SELF))

    def begin(self, epochs: int, out: Path) -> None:
        """Train half of the `epochs` here: the device's libraries have started afterwards."""
        trained = 0

        def enough(record: Mapping[str, Any]) -> bool:
            nonlocal trained
            trained = int(record["epoch"])
            return 2 * trained > epochs

        try:
            with silence():
                self._train(0, out, enough)
        except Stopped:
            if 2 * trained <= epochs:
                raise

    def _train(self, seed: int, out: Path, after_epoch: AfterEpoch | None = None) -> Run:
        return train(
            self.origin,
            seed=seed,
            data=self.data,
            out=out,
            device=self.device,
            precision=self.precision,
            after_epoch=after_epoch,
        )


class _Progress:
    """Says each training's figures, and from their times how long the rest will take."""

    def __init__(self, trainings: int) -> None:
        self._left = trainings
        self._started = time.perf_counter()
        self._done = 0

    def one_more(self, name: str, seed: int, metrics: Metrics) -> None:
        self._done += 1
        left = (time.perf_counter() - self._started) / self._done * (self._left - self._done)
        share = metrics.get("train/peak_share")
        say(
            f"{name}, seed {seed}: test accuracy {metrics['test/accuracy']:.2%}, trained in "
            f"{metrics['train/seconds']:.1f} s, whole run {metrics['run/seconds']:.1f} s"
            + (f", {share:.0%} of the peak" if share else "")
            + (f"; about {duration(left)} left" if self._left > self._done else "")
        )
