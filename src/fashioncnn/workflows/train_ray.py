"""train, several seeds at once: tasks on a Ray cluster, whose runs come back to one folder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fashioncnn.errors import Diverged, Stopped, StudyError
from fashioncnn.recipes.load import differences, dump, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run, open_run, runs_below
from fashioncnn.runs.files import make_folder
from fashioncnn.tracking.trackers import TrackerName, check, track
from fashioncnn.training.device import DeviceName, PrecisionName
from fashioncnn.workflows.ray_cluster import (
    POLL_SECONDS,
    Cluster,
    connected,
    last_line,
    pack,
    remote,
    unpack,
)
from fashioncnn.workflows.say import say
from fashioncnn.workflows.stopping import stop_wish
from fashioncnn.workflows.train import DEFAULT_OUT, train


def train_seeds_on_cluster(
    recipe: str | Path,
    *,
    seeds: Sequence[int],
    cluster: Cluster,
    changes: Sequence[str] = (),
    data: Path | str | None = None,
    out: Path | str = DEFAULT_OUT,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    resume: bool = False,
    log: Sequence[TrackerName] = (),
) -> list[Run]:
    """Train once a seed on `cluster`; as `train_seeds` does, in runs below `out` on this machine.

    A finished run is copied to the trackers that `log` names. With `resume`, finished runs in `out`
    are returned as they are; others begin anew. Raises StudyError when the cluster cannot be
    reached, or a task fails; TrackingError; Diverged; Stopped.
    """
    if precision != "auto":
        changes = [*changes, f'training.precision="{precision}"']
    check(log)
    chosen, folder = load(recipe, changes), make_folder(Path(out))
    runs = _finished(chosen, folder) if resume else {}
    with stop_wish() as wish, connected(cluster.address) as ray:
        task = remote(ray, train_remotely, cluster)
        told = dump(chosen), None if data is None else str(data), device
        pending = {task.remote(*told, seed): seed for seed in seeds if seed not in runs}
        try:
            while pending:
                for reference in ray.wait(list(pending), timeout=POLL_SECONDS)[0]:
                    seed = pending.pop(reference)
                    runs[seed] = _gather(ray, reference, folder)
                    track(log, runs[seed], say)
                    say(f"seed {seed} is trained: {runs[seed].path}; {len(pending)} to come")
                if wish:
                    raise Stopped(f"stopped; {len(runs)} of {len(seeds)} runs are in {folder}")
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)
    return [runs[seed] for seed in seeds]


def train_remotely(
    recipe_toml: str, data: str | None, device: DeviceName, seed: int
) -> tuple[str, bytes]:
    """Train on a node of the cluster; return the run's path in the archive, and the archive.

    The path is empty and the archive holds words where the training diverged.
    """
    with tempfile.TemporaryDirectory(prefix="fashioncnn-") as name:
        folder = Path(name)
        file = folder / "recipe.toml"
        file.write_text(recipe_toml, "utf-8")
        try:
            run = train(file, seed=seed, data=data, out=folder / "runs", device=device)
        except Diverged as fault:
            return "", str(fault).encode()
        return str(run.path.relative_to(folder / "runs")), pack(folder / "runs")


def _gather(ray: Any, reference: Any, folder: Path) -> Run:
    try:
        path, archive = ray.get(reference)
    except ray.exceptions.RayError as error:
        raise StudyError(f"a task on the cluster failed: {last_line(error)}") from None
    if not path:
        raise Diverged(archive.decode())
    unpack(archive, folder)
    return open_run(folder / path)


def _finished(recipe: Recipe, folder: Path) -> dict[int, Run]:
    return {
        run.seed: run
        for run in runs_below(folder / recipe.name)
        if not differences(load(run.recipe_file), recipe)
        and len(run.metrics) == recipe.training.epochs
    }
