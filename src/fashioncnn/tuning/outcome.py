"""What a worker is given to try, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from fashioncnn.tuning.setting import Setting


@dataclass(frozen=True)
class Ticket:
    """A setting to try. A finalist is not to be given up early."""

    number: int
    setting: Setting
    finalist: bool


@dataclass(frozen=True)
class Outcome:
    """What came of a setting: it was trained to its end, or given up after some `epochs`.

    `accuracy` is the mean of `accuracies`, one a seed, or the last that was seen before giving up:
    None where there was a `fault` at once. `runs` are paths within the study's folder.
    """

    number: int
    setting: Setting
    complete: bool
    accuracy: float | None
    epochs: int
    fault: str
    accuracies: tuple[float, ...]
    runs: tuple[str, ...]


def outcome_of(trial: FrozenTrial) -> Outcome:
    """Return what came of a trial that is at its end."""
    return Outcome(
        number=trial.number,
        setting={
            key: json.loads(value) if isinstance(value, str) else value
            for key, value in trial.params.items()
        },
        complete=trial.state == TrialState.COMPLETE,
        accuracy=trial.value,
        epochs=trial.last_step or 0,
        fault=trial.user_attrs.get("fault", ""),
        accuracies=tuple(trial.user_attrs.get("accuracies", ())),
        runs=tuple(trial.user_attrs.get("runs", ())),
    )
