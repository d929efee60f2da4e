"""The trainings of one recipe: each seed in a run directory, written as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fashioncnn.console.say import duration, say, silence, timed
from fashioncnn.console.stopping import StopWish
from fashioncnn.console.training_progress import TrainingProgress
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.splits import Splits
from fashioncnn.errors import RunError, Stopped
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.fit import fit
from fashioncnn.recipes.load import as_files, differences, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints, metrics, snapshots
from fashioncnn.runs.checkpoints import Checkpoint
from fashioncnn.runs.directory import Run, RunTaken, create, is_run, locked, new_path, open_run
from fashioncnn.runs.files import to_json
from fashioncnn.runs.provenance import provenance
from fashioncnn.sessions.earlier import as_begun, earlier_run, is_of_pictures
from fashioncnn.sessions.trial import try_own_code
from fashioncnn.tracking.trackers import TrackerName, Trackers, copying
from fashioncnn.training.device import (
    DeviceName,
    fabric_for,
    hardware,
    precision_of,
    precision_remarks,
)
from fashioncnn.training.loop import StopRequested, Training
from fashioncnn.training.processes import Processes, together
from fashioncnn.training.state import TrainingState
from fashioncnn.usercode.modules import source_of
from fashioncnn.usercode.trust import trust

# Hears each epoch's record, as in metrics.jsonl, and answers whether to stop there.
AfterEpoch = Callable[[Mapping[str, Any]], bool | None]


@dataclass(frozen=True)
class Wishes:
    """What the user wants of every training: where it goes, whether to resume, who hears of it."""

    out: Path
    resume: bool = False
    track: Sequence[TrackerName] = ()
    after_epoch: AfterEpoch | None = None


@dataclass(frozen=True)
class Ongoing:
    """A run under way: where it lies, where it stands, its epochs so far, who gets a copy."""

    run: Run
    seed: int
    state: TrainingState
    records: list[dict[str, Any]]
    trackers: Trackers

    def keep(self, record: dict[str, Any], better: bool, epochs: int) -> None:
        """Bring an epoch to the disk, the metrics before the checkpoint, then to the trackers."""
        run, state = self.run, self.state
        metrics.append(run.metrics_file, record)
        if record["epoch"] in snapshots.wanted(epochs):
            snapshots.save(run.snapshots, record["epoch"], state.predictor.state_dict())
        names = ["last", "best"] if better else ["last"]
        checkpoints.save(run.checkpoints, state.tensors(), state.values(), names)
        self.trackers.epochs(self.records)


@contextmanager
def open_session(
    recipe: Recipe, data: DataSet, device: DeviceName, wishes: Wishes, wish: StopWish
) -> Iterator[Session]:
    """Open data and device for trainings of `recipe`.

    Under torchrun, the processes train together; the first one writes and speaks.
    """
    data = at_size_of(recipe, data)
    recipe, remarks = fit(recipe, data)
    fabric = fabric_for(device, recipe.training.precision, together=True)
    with timed(f"reading the training pictures of {data.source.place}"):
        splits = build_splits(recipe, data.train, data.validation)
    if wishes.resume:
        recipe = as_begun(recipe, wishes.out)
    if recipe.code:
        try_own_code(recipe, splits.train)
    with together(fabric) as processes, nullcontext() if processes.first else silence():
        for line in (*data.remarks(), *remarks, *precision_remarks(fabric)):
            say(line)
        yield Session(recipe, splits, data, processes, wishes, wish)


def at_size_of(recipe: Recipe, data: DataSet) -> DataSet:
    """Return `data`, read at the recipe's size where pictures come in several."""
    if data.size or not data.source.mixed or recipe.data.image_size == "data":
        return data
    return replace(data, size=recipe.data.size)


@dataclass(frozen=True)
class Session:
    """What several runs of one recipe share."""

    recipe: Recipe
    splits: Splits
    data: DataSet
    processes: Processes
    wishes: Wishes
    wish: StopWish

    def train(self, seed: int) -> Run:
        """Train one seed, from the start or from where it was stopped."""
        with ExitStack() as held:

            def begin() -> Run:
                run = (self._earlier(seed) if self.wishes.resume else None) or self._create(seed)
                held.enter_context(locked(run))
                return run

            run = self.processes.broadcast(begin)
            self._go_on(run, seed)
        return run

    def _go_on(self, run: Run, seed: int) -> None:
        train, device = self.splits.train, self.processes.fabric.device
        channels = train.shape.channels
        state = build_state(self.recipe, train.classes, seed, device, len(train), channels)
        records = self._restore(run, state)
        names = self.wishes.track if self.processes.first else ()
        with copying(names, run, say) as trackers:
            trackers.epochs(records)
            if state.position.epoch >= self.recipe.training.epochs:
                say(f"{run.path} is complete")
            else:
                self._train(Ongoing(run, seed, state, records, trackers))

    def _create(self, seed: int) -> Run:
        out = self.wishes.out
        if is_run(out):
            raise RunError(
                f"{out} is a run already: --resume goes on with it, or choose another --out"
            )
        if self.wishes.resume:
            say(f"no run of this recipe on these pictures, seed {seed}, in {out}: starting one")
        code = source_of(self.recipe.code) if self.recipe.code else None
        facts = provenance(
            seed=seed,
            data=self.data.file_digests(),
            data_set=self.data.facts(),
            split={
                "seed": self.recipe.data.split_seed,
                "validation_images": len(self.splits.validation),
                "sha256": self.splits.digest,
            },
            hardware=self._hardware(),
            precision=precision_of(self.processes.fabric),
            threads=torch.get_num_threads(),
            code_folder=code.folder if code else None,
        )
        if code:
            trust(self.recipe.code, self.recipe.addresses)
        files = as_files(self.recipe) | {"provenance.json": to_json(facts)}
        while True:
            # Two that begin in the same second want the same name.
            with suppress(RunTaken):
                return create(new_path(out, self.recipe.name, seed), files)

    def _hardware(self) -> str:
        """Name what computes, and how many of it do."""
        count = self.processes.count
        one = hardware(self.processes.fabric.device)
        return one if count == 1 else f"{count} processes, each {one}"

    def _earlier(self, seed: int) -> Run | None:
        """Find the newest run to go on with. RunError when `out` is a run of something else."""
        out = self.wishes.out
        if is_run(out):
            run = open_run(out)
            if differing := differences(load(run.recipe_file), self.recipe):
                raise RunError(
                    f"{out} is a run of another recipe than {self.recipe.name}: it has "
                    + "; ".join(differing[:3])
                    + ("; …" if len(differing) > 3 else "")
                )
            if run.seed != seed:
                raise RunError(f"{out} has seed {run.seed}, not {seed}")
            if not is_of_pictures(run, self.data.train.digest, self.splits.digest):
                raise RunError(
                    f"{out} was trained on other pictures than those of {self.data.source.place}"
                )
            return run
        return earlier_run(self.recipe, out, seed, self.data.train.digest, self.splits.digest)

    def _restore(self, run: Run, state: TrainingState) -> list[dict[str, Any]]:
        """Restore the newest whole checkpoint, if any, and return the epochs before it."""
        checkpoint, records = self.processes.broadcast(lambda: self._read(run))
        if checkpoint:
            state.restore(checkpoint.tensors, checkpoint.values)
        return records

    def _read(self, run: Run) -> tuple[Checkpoint | None, list[dict[str, Any]]]:
        if not checkpoints.exists(run.checkpoints):
            return None, metrics.trim(run.metrics_file, 0)
        checkpoint, faults = checkpoints.load_newest(run.checkpoints)
        for fault in faults:
            say(f"{fault}; going on from an earlier checkpoint")
        facts = run.provenance
        began = facts["hardware"], facts["precision"]
        now = self._hardware(), precision_of(self.processes.fabric)
        if began != now:
            say(
                f"this run began with {began[1]} on {began[0]} and goes on with {now[1]} on "
                f"{now[0]}: its weights will not be bit-identical to those of one machine"
            )
        return checkpoint, metrics.trim(run.metrics_file, checkpoint.values["epoch"])

    def _train(self, ongoing: Ongoing) -> None:
        run, state = ongoing.run, ongoing.state
        training = build_training(self.recipe, self.splits, ongoing.seed, self.processes)
        batches = training.batches
        say(
            f"{self.recipe.name}, seed {ongoing.seed}: {len(batches.pictures):,} pictures of "
            f"{self.data.name}, "
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
        self.processes.broadcast(
            lambda: checkpoints.save(run.checkpoints, state.tensors(), state.values())
        )
        raise Stopped(
            f"stopped in epoch {state.position.epoch + 1} of {training.epochs} after step "
            f"{state.position.step} of {batches.steps(state.position.epoch)}; saved in {run.path}"
        )

    def _epochs(self, training: Training, ongoing: Ongoing, progress: TrainingProgress) -> None:
        run, state, records = ongoing.run, ongoing.state, ongoing.records
        best = max((_merit(record) for record in records), default=None)
        broadcast, after_epoch = self.processes.broadcast, self.wishes.after_epoch
        if not records and not state.position.step:
            broadcast(lambda: snapshots.save(run.snapshots, 0, state.predictor.state_dict()))
        for record in training.run(state):
            told = record.metrics()
            records.append(told)
            better = best is None or _merit(told) > best
            best = _merit(told) if better else best
            broadcast(partial(ongoing.keep, told, better, training.epochs))
            progress.epoch(record, state)
            enough = bool(after_epoch(told)) if after_epoch else False
            if record.epoch < training.epochs and self.processes.any(bool(self.wish) or enough):
                raise StopRequested
        say(f"trained in {duration(sum(record['train/seconds'] for record in records))}")


def _merit(record: Mapping[str, Any]) -> tuple[float, float]:
    """Rank epochs: by validation accuracy, then by validation loss; without them, the last."""
    if record["val/accuracy"] is None:
        return record["epoch"], 0.0
    return record["val/accuracy"], -record["val/loss"]
