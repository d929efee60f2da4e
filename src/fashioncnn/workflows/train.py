"""train: from a recipe to a run directory with a trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fashioncnn.data import sources
from fashioncnn.errors import RunError, Stopped
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import differences, dump, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints, log, snapshots
from fashioncnn.runs.directory import Run, create, is_run, locked, new_path, open_run, runs_below
from fashioncnn.runs.files import to_json
from fashioncnn.runs.provenance import provenance
from fashioncnn.training.device import (
    DeviceName,
    PrecisionName,
    fabric_for,
    hardware,
    precision_of,
)
from fashioncnn.training.loop import StopRequested, Training
from fashioncnn.training.state import TrainingState
from fashioncnn.workflows.say import TrainingProgress, duration, say
from fashioncnn.workflows.stopping import StopWish, stop_wish

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from fashioncnn.data.splits import Splits

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
    after_epoch: AfterEpoch | None = None,
) -> list[Run]:
    """Train once a seed, each in a directory of its own, `out`/<recipe>/<time>-s<seed>.

    `changes` are as in "optimizer.learning_rate=0.002"; `precision` "auto" leaves it to the
    recipe. With `resume`, a run of the same recipe and seed goes on where it was stopped, a
    finished one is returned as it is, and a missing one is started; `out` may then name one run
    directory. `after_epoch` is given each epoch's record, as in metrics.jsonl, and answers whether
    to stop there. Raises FashionCNNError with one clear line: RecipeError, DataError, RunError,
    StorageError, DeviceError, Diverged; Stopped after Ctrl-C or SIGTERM, or when `after_epoch` asks
    for it, everything saved.
    """
    if precision != "auto":
        changes = [*changes, f'training.precision="{precision}"']
    with stop_wish() as wish:
        chosen = load(recipe, changes)
        source = sources.find(data)
        fabric = fabric_for(device, chosen.training.precision)
        splits = build_splits(chosen, sources.load(source, "train"))
        session = Session(chosen, splits, fabric, Path(out), resume, wish, after_epoch)
        return [session.run(seed) for seed in seeds]


@dataclass(frozen=True)
class Session:
    """What several runs of one recipe share."""

    recipe: Recipe
    splits: Splits
    fabric: Fabric
    out: Path
    resume: bool
    wish: StopWish
    after_epoch: AfterEpoch | None = None

    def run(self, seed: int) -> Run:
        """Train one seed, from the start or from where it was stopped."""
        run = (self._earlier(seed) if self.resume else None) or self._create(seed)
        with locked(run):
            train = self.splits.train
            state = build_state(
                self.recipe, train.classes, seed, self.fabric.device, images=len(train)
            )
            records = self._restore(run, state)
            if state.position.epoch >= self.recipe.training.epochs:
                say(f"{run.path} is complete")
                return run
            self._train(run, seed, state, records)
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
            hardware=hardware(self.fabric.device),
            precision=precision_of(self.fabric),
            threads=torch.get_num_threads(),
        )
        files = {"recipe.toml": dump(self.recipe), "provenance.json": to_json(facts)}
        return create(new_path(self.out, self.recipe.name, seed), files)

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
        if not checkpoints.exists(run.checkpoints):
            return log.trim(run.metrics_file, 0)
        checkpoint, faults = checkpoints.load_newest(run.checkpoints)
        for fault in faults:
            say(f"{fault}; going on from an earlier checkpoint")
        state.restore(checkpoint.tensors, checkpoint.values)
        began = run.provenance.get("hardware"), run.provenance.get("precision")
        now = hardware(self.fabric.device), precision_of(self.fabric)
        if began != now:
            say(
                f"this run began with {began[1]} on {began[0]} and goes on with {now[1]} on "
                f"{now[0]}: its weights will not be bit-identical to those of one machine"
            )
        return log.trim(run.metrics_file, state.position.epoch)

    def _train(
        self, run: Run, seed: int, state: TrainingState, records: list[dict[str, Any]]
    ) -> None:
        training = build_training(self.recipe, self.splits, seed, self.fabric)
        batches = training.batches
        say(
            f"{self.recipe.name}, seed {seed}: {len(batches.pictures):,} pictures, "
            f"{sum(p.numel() for p in state.network.parameters()):,} parameters, "
            f"{precision_of(self.fabric)} on {hardware(self.fabric.device)}, in {run.path}"
        )
        if state.position.epoch or state.position.step:
            say(f"going on in epoch {state.position.epoch + 1}, step {state.position.step + 1}")
        with TrainingProgress(batches, training.epochs) as progress:

            def after_step(state: TrainingState) -> bool:
                progress.step(state)
                return bool(self.wish)

            try:
                self._epochs(
                    replace(training, after_step=after_step), run, state, records, progress
                )
            except StopRequested:
                pass
            else:
                return
        checkpoints.save(run.checkpoints, state.tensors(), state.values())
        raise Stopped(
            f"stopped in epoch {state.position.epoch + 1} of {training.epochs} after step "
            f"{state.position.step} of {batches.steps(state.position.epoch)}; saved in {run.path}"
        )

    def _epochs(
        self,
        training: Training,
        run: Run,
        state: TrainingState,
        records: list[dict[str, Any]],
        progress: TrainingProgress,
    ) -> None:
        best = max((_merit(record) for record in records), default=None)
        kept_epochs = snapshots.wanted(training.epochs)
        if not records:
            snapshots.save(run.snapshots, 0, state.predictor.state_dict())
        for record in training.run(state):
            metrics = record.metrics()
            records.append(metrics)
            log.append(run.metrics_file, metrics)
            names = ["last"]
            if best is None or _merit(metrics) > best:
                best = _merit(metrics)
                names.append("best")
            if record.epoch in kept_epochs:
                snapshots.save(run.snapshots, record.epoch, state.predictor.state_dict())
            checkpoints.save(run.checkpoints, state.tensors(), state.values(), names)
            progress.epoch(record, state)
            enough = self.after_epoch is not None and self.after_epoch(metrics)
            if (self.wish or enough) and record.epoch < training.epochs:
                raise StopRequested
        say(f"trained in {duration(sum(record['train/seconds'] for record in records))}")


def _merit(record: dict[str, Any]) -> tuple[float, float]:
    """Rank epochs: by validation accuracy, then by validation loss; without them, the last."""
    if record["val/accuracy"] is None:
        return record["epoch"], 0.0
    return record["val/accuracy"], -record["val/loss"]
