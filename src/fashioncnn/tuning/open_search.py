"""Opening the search of a study, as one more worker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import optuna
from filelock import FileLock
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from fashioncnn.data.randomness import stream_seed
from fashioncnn.errors import StudyError
from fashioncnn.recipes.load import load
from fashioncnn.runs.files import make_folder
from fashioncnn.tuning.search import Search
from fashioncnn.tuning.space import Space
from fashioncnn.tuning.storage import open_storage
from fashioncnn.tuning.workers import sign_in

SamplerName = Literal["grid", "tpe", "random"]
# The first look at a setting comes after this share of its epochs; a third goes on from each.
FIRST_LOOK, REDUCTION = 0.3, 3


@contextmanager
def open_search(
    space: Space,
    folder: Path,
    *,
    sampler: SamplerName,
    trials: int | None = None,
    address: str | None = None,
    seed: int = 0,
) -> Iterator[Search]:
    """Open or make the study of `space` in `folder`, as one more worker.

    `trials` is how many are wanted; a grid wants all its settings. `address` is of a database that
    SQLAlchemy knows, in place of the journal in `folder`. Raises StudyError when the study there is
    of another space, or the database cannot be reached; SpaceError when the space has no grid.
    """
    optuna.logging.disable_default_handler()
    grid = space.grid() if sampler == "grid" else None
    make_folder(folder)
    with sign_in(folder) as worker, open_storage(folder, address) as storage:
        first_look = max(1, round(FIRST_LOOK * load(space.recipe).training.epochs))
        study = optuna.create_study(
            study_name=space.name,
            storage=storage,
            pruner=SuccessiveHalvingPruner(first_look, REDUCTION),
            direction="maximize",
            load_if_exists=True,
        )
        drawn = stream_seed(seed, "sampler", 0, len(study.trials))
        study.sampler = _sampler(sampler, drawn % 2**32)
        _settle(study, "space", {key: repr(values) for key, values in space.keys.items()}, folder)
        _settle(study, "sampler", sampler, folder)
        wanted = len(grid) if grid is not None else trials or 0
        search = Search(space, study, folder, wanted, worker)
        with FileLock(folder / "ask.lock"):
            for setting in grid or ():
                told = {key: json.dumps(value) for key, value in setting.items()}
                study.enqueue_trial(told, skip_if_exists=True)
        yield search


def _settle(study: optuna.Study, name: str, value: Any, folder: Path) -> None:
    """Note what the study is of, the first time; afterwards it must be the same."""
    earlier: Mapping[str, Any] = study.user_attrs
    if name not in earlier:
        study.set_user_attr(name, value)
    elif earlier[name] != value:
        raise StudyError(
            f"the study {study.study_name} in {folder} was begun with another {name}: choose "
            "another --out, or the one that it was begun with"
        )


def _sampler(name: SamplerName, seed: int) -> BaseSampler:
    if name == "tpe":
        return TPESampler(seed=seed, constant_liar=True)
    return RandomSampler(seed=seed)
