"""train: from a recipe to a run directory with a trained network."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fashioncnn.data import sources
from fashioncnn.data.splits import Splits
from fashioncnn.errors import RunError, Stopped
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import differences, dump, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints, log, snapshots
from fashioncnn.runs.checkpoints import Checkpoint
from fashioncnn.runs.directory import Run, create, is_run, locked, new_path, open_run, runs_below
from fashioncnn.runs.files import to_json
from fashioncnn.runs.provenance import provenance
from fashioncnn.tracking.trackers import TrackerName, Trackers, check, tracked
from fashioncnn.training.device import (
    DeviceName,
    PrecisionName,
    fabric_for,
    hardware,
    launched_together,
    precision_of,
)
from fashioncnn.training.loop import StopRequested, Training
from fashioncnn.training.processes import Processes, together
from fashioncnn.training.state import TrainingState
from fashioncnn.workflows.say import TrainingProgress, duration, say, silence
from fashioncnn.workflows.stopping import StopWish, stop_wish

DEFAULT_OUT = Path("runs")
AfterEpoch = Callable[[Mapping[str, Any]], bool]


def train(
    recipe: str | Path,
    *,
    changes: Sequence[str] = (),
    seed: int = 0,
    data: Path | str | None = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    resume: bool = False,
    log: Sequence[TrackerName] = (),
    after_epoch: AfterEpoch | None = None,
) -> Run:
    """Train `recipe` (a built-in name, or a path) once; see `train_seeds`."""
    return train_seeds(
        recipe,
        seeds=[seed],
        changes=changes,
        data=data,
        out=out,
        device=device,
        precision=precision,
        resume=resume,
        log=log,
        after_epoch=after_epoch,
    )[0]


def train_seeds(
    recipe: str | Path,
    *,
    seeds: Sequence[int],
    changes: Sequence[str] = (),
    data: Path | str | None = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    resume: bool = False,
    log: Sequence[TrackerName] = (),
    after_epoch: AfterEpoch | None = None,
) -> list[Run]:
    """Train once a seed, each in a directory of its own, `out`/<recipe>/<time>-s<seed>.

    `changes` are as in "optimizer.learning_rate=0.002"; `precision` "auto" leaves it to the
    recipe. With `resume`, a run of the same recipe and seed goes on where it was stopped, a
    finished one is returned as it is, and a missing one is started; `out` may then name one run
    directory. `log` names trackers that get a copy as it grows. `after_epoch` is given each epoch's
    record, as in metrics.jsonl, and answers whether to stop there. Under torchrun, the processes
    train together; the first one writes and speaks. Raises FashionCNNError with one clear line:
    RecipeError, DataError, RunError, StorageError, DeviceError, TrackingError, Diverged;
    ProcessLost when another of the processes ended; Stopped after Ctrl-C or SIGTERM, or when
    `after_epoch` asks for it, everything saved.
    """
    if precision != "auto":
        changes = [*changes, f'training.precision="{precision}"']
    check(log)
    with stop_wish() as wish:
        chosen = load(recipe, changes)
        source = sources.find(data)
        fabric = fabric_for(device, chosen.training.precision, together=True)
        splits = build_splits(chosen, sources.load(source, "train"))
        with together(fabric) as processes, nullcontext() if processes.first else silence():
            session = Session(chosen, splits, processes, Path(out), resume, wish, log, after_epoch)
            return [session.run(seed) for seed in seeds]


def is_first_process() -> bool:
    """Say whether this process writes and speaks: all do but the further ones of torchrun."""
    return not launched_together() or os.environ["RANK"] == "0"


@dataclass(frozen=True)
class Ongoing:
    """A run under way: where it lies, where it stands, its epochs so far, who gets a copy."""

    run: Run
    seed: int
    state: TrainingState
    records: list[dict[str, Any]]
    trackers: Trackers

    def keep(self, metrics: dict[str, Any], better: bool, epochs: int) -> None:
        """Bring an epoch to the disk, the log before the checkpoint, then to the trackers."""
        run, state = self.run, self.state
        log.append(run.metrics_file, metrics)
        if metrics["epoch"] in snapshots.wanted(epochs):
            snapshots.save(run.snapshots, metrics["epoch"], state.predictor.state_dict())
        names = ["last", "best"] if better else ["last"]
        checkpoints.save(run.checkpoints, state.tensors(), state.values(), names)
        self.trackers.epochs(self.records)


@dataclass(frozen=True)
class Session:
    """What several runs of one recipe share."""

    recipe: Recipe
    splits: Splits
    processes: Processes
    out: Path
    resume: bool
    wish: StopWish
    log: Sequence[TrackerName]
    after_epoch: AfterEpoch | None

    def run(self, seed: int) -> Run:
        """Train one seed, from the start or from where it was stopped."""
        with ExitStack() as held:

            def begin() -> Run:
                run = (self._earlier(seed) if self.resume else None) or self._create(seed)
                held.enter_context(locked(run))
                return run

            run = self.processes.agree(begin)
            train, device = self.splits.train, self.processes.fabric.device
            state = build_state(self.recipe, train.classes, seed, device, images=len(train))
            records = self._restore(run, state)
            with tracked(self.log if self.processes.first else (), run, say) as trackers:
                trackers.epochs(records)
                if state.position.epoch >= self.recipe.training.epochs:
                    say(f"{run.path} is complete")
                else:
                    self._train(Ongoing(run, seed, state, records, trackers))
        return run

    def _create(self, seed: int) -> Run:
        if is_run(self.out):
            raise RunError(
                f"{self.out} is a run already: --resume goes on with it, or choose another --out"
            )
        if self.resume:
            say(f"no run of this recipe with seed {seed} in {self.out} yet: starting one")
        facts = provenance(
            seed=seed,
            data=sources.identity_digest("train"),
            split={
                "seed": self.recipe.data.split_seed,
                "validation_images": len(self.splits.validation),
                "sha256": self.splits.digest,
            },
            hardware=self._hardware(),
            precision=precision_of(self.processes.fabric),
            threads=torch.get_num_threads(),
        )
        files = {"recipe.toml": dump(self.recipe), "provenance.json": to_json(facts)}
        return create(new_path(self.out, self.recipe.name, seed), files)

    def _hardware(self) -> str:
        """Name what computes, and how many of it do."""
        count = self.processes.count
        one = hardware(self.processes.fabric.device)
        return one if count == 1 else f"{count} processes, each {one}"

    def _earlier(self, seed: int) -> Run | None:
        """Find the newest run to go on with. RunError when `out` is a run of something else."""
        if is_run(self.out):
            run = open_run(self.out)
            if differing := differences(load(run.recipe_file), self.recipe):
                raise RunError(
                    f"{self.out} is a run of another recipe than {self.recipe.name}: it has "
                    + "; ".join(differing[:3])
                    + ("; …" if len(differing) > 3 else "")
                )
            if run.seed != seed:
                raise RunError(f"{self.out} has seed {run.seed}, not {seed}")
            return run
        for run in reversed(runs_below(self.out / self.recipe.name)):
            if run.seed == seed and not differences(load(run.recipe_file), self.recipe):
                return run
        return None

    def _restore(self, run: Run, state: TrainingState) -> list[dict[str, Any]]:
        """Take the newest whole checkpoint on, if any, and return the epochs before it."""
        checkpoint, records = self.processes.agree(lambda: self._read(run))
        if checkpoint:
            state.restore(checkpoint.tensors, checkpoint.values)
        return records

    def _read(self, run: Run) -> tuple[Checkpoint | None, list[dict[str, Any]]]:
        if not checkpoints.exists(run.checkpoints):
            return None, log.trim(run.metrics_file, 0)
        checkpoint, faults = checkpoints.load_newest(run.checkpoints)
        for fault in faults:
            say(f"{fault}; going on from an earlier checkpoint")
        began = run.provenance.get("hardware"), run.provenance.get("precision")
        now = self._hardware(), precision_of(self.processes.fabric)
        if began != now:
            say(
                f"this run began with {began[1]} on {began[0]} and goes on with {now[1]} on "
                f"{now[0]}: its weights will not be bit-identical to those of one machine"
            )
        return checkpoint, log.trim(run.metrics_file, checkpoint.values["epoch"])

    def _train(self, ongoing: Ongoing) -> None:
        run, state = ongoing.run, ongoing.state
        training = build_training(self.recipe, self.splits, ongoing.seed, self.processes)
        batches = training.batches
        say(
            f"{self.recipe.name}, seed {ongoing.seed}: {len(batches.pictures):,} pictures, "
            f"{sum(p.numel() for p in state.network.parameters()):,} parameters, "
            f"{precision_of(self.processes.fabric)} on {self._hardware()}, in {run.path}"
        )
        if state.position.epoch or state.position.step:
            say(f"going on in epoch {state.position.epoch + 1}, step {state.position.step + 1}")
        with TrainingProgress(batches, training.epochs) as progress:

            def after_step(state: TrainingState) -> bool:
                progress.step(state)
                return self.processes.any(bool(self.wish))

            try:
                self._epochs(replace(training, after_step=after_step), ongoing, progress)
            except StopRequested:
                pass
            else:
                return
        self.processes.agree(
            lambda: checkpoints.save(run.checkpoints, state.tensors(), state.values())
        )
        raise Stopped(
            f"stopped in epoch {state.position.epoch + 1} of {training.epochs} after step "
            f"{state.position.step} of {batches.steps(state.position.epoch)}; saved in {run.path}"
        )

    def _epochs(self, training: Training, ongoing: Ongoing, progress: TrainingProgress) -> None:
        run, state, records = ongoing.run, ongoing.state, ongoing.records
        best = max((_merit(record) for record in records), default=None)
        agree = self.processes.agree
        if not records:
            agree(lambda: snapshots.save(run.snapshots, 0, state.predictor.state_dict()))
        for record in training.run(state):
            metrics = record.metrics()
            records.append(metrics)
            better = best is None or _merit(metrics) > best
            best = _merit(metrics) if better else best
            agree(partial(ongoing.keep, metrics, better, training.epochs))
            progress.epoch(record, state)
            enough = self.after_epoch is not None and self.after_epoch(metrics)
            if record.epoch < training.epochs and self.processes.any(bool(self.wish) or enough):
                raise StopRequested
        say(f"trained in {duration(sum(record['train/seconds'] for record in records))}")


def _merit(record: dict[str, Any]) -> tuple[float, float]:
    """Rank epochs: by validation accuracy, then by validation loss; without them, the last."""
    if record["val/accuracy"] is None:
        return record["epoch"], 0.0
    return record["val/accuracy"], -record["val/loss"]
