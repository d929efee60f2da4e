"""A search that several workers share: who tries which setting, and what came of it.

Optuna keeps the trials and proposes settings. A grid is put into the queue whole, so that a point
whose trial fails is tried again, which Optuna's own grid sampler does not do. Every worker holds a
lock file as long as it lives; a trial whose worker is gone goes back into the queue.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.trial import FrozenTrial, Trial, TrialState

from fashioncnn.tuning.outcome import Outcome, Ticket, outcome_of
from fashioncnn.tuning.setting import Setting
from fashioncnn.tuning.space import Choices, Space
from fashioncnn.tuning.workers import is_alive

# Attributes of a trial: which earlier one it repeats, and why.
AGAIN, FINALIST = "again", "finalist"
# A pruned trial has an answer too: that it is not worth more.
ANSWERED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Search:
    """The trials of one study, for one worker, which is called `worker`.

    `wanted` is how many settings are to be answered in all.
    """

    space: Space
    study: optuna.Study
    folder: Path
    wanted: int
    worker: str
    _trials: dict[int, Trial] = field(default_factory=dict)
    _reported: set[tuple[int, int]] = field(default_factory=set)

    def next(self) -> Ticket | None:
        """Take the next setting to try, or None when all that are wanted are taken."""
        with FileLock(self.folder / "ask.lock"):
            self._reclaim()
            while self._is_more_wanted():
                trial = self.study.ask()
                trial.set_user_attr("worker", self.worker)
                if not self._is_taken(trial):
                    self._trials[trial.number] = trial
                    return Ticket(trial.number, self._suggest(trial), FINALIST in trial.user_attrs)
                self.study.tell(trial, state=TrialState.FAIL)
            return None

    def is_hopeless(self, number: int, epoch: int, accuracy: float) -> bool:
        """Note the accuracy of a setting after an epoch, and say whether to give it up."""
        trial = self._trials[number]
        # A task that was begun anew on another node tells its first epochs again.
        if (number, epoch) in self._reported:
            return False
        self._reported.add((number, epoch))
        trial.report(accuracy, epoch)
        return trial.should_prune()

    def complete(self, number: int, accuracies: Sequence[float], runs: Sequence[str]) -> None:
        """Note what a setting came to, one accuracy and one run a seed."""
        trial = self._trials.pop(number)
        trial.set_user_attr("accuracies", list(accuracies))
        trial.set_user_attr("runs", list(runs))
        self.study.tell(trial, sum(accuracies) / len(accuracies))

    def give_up(self, number: int, fault: str = "") -> None:
        """Note that a setting is not worth more, or cannot be trained."""
        trial = self._trials.pop(number)
        trial.set_user_attr("fault", fault)
        self.study.tell(trial, state=TrialState.PRUNED)

    def give_back(self, number: int) -> None:
        """Let the setting of a trial that came to no answer be tried again."""
        trials = self.study.get_trials(deepcopy=False)
        # First the new one, then the end of the old: a kill between them is seen here.
        if not any(trial.user_attrs.get(AGAIN) == number for trial in trials):
            old = trials[number]
            params = old.params or old.system_attrs.get("fixed_params", {})
            kept = {FINALIST: old.user_attrs[FINALIST]} if FINALIST in old.user_attrs else {}
            self.study.enqueue_trial(dict(params), user_attrs={AGAIN: number, **kept})
        with suppress(ValueError, RuntimeError):
            self.study.tell(number, state=TrialState.FAIL)

    def outcomes(self) -> list[Outcome]:
        """Return what was tried to an end, by number; of a finalist the last outcome alone."""
        return [outcome_of(trial) for trial in self._answered()]

    def queue_finalists(self) -> bool:
        """Queue, for each value of a list that no finished setting has, the best that was given up.

        Such a trial is not given up again, so that every value has an answer with its interval.
        Says whether any waits.
        """
        trials = self._answered()
        done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        given_up = [one for one in trials if one.state == TrialState.PRUNED and one.last_step]
        given_up.sort(key=_promise)
        queued = {one.user_attrs.get(FINALIST) for one in self.study.get_trials(deepcopy=False)}
        for key, values in self.space.keys.items():
            for value in values.values if isinstance(values, Choices) else ():
                told = json.dumps(value)
                if not any(one.params.get(key) == told for one in done):
                    best = next((one for one in given_up if one.params.get(key) == told), None)
                    if best and best.number not in queued:
                        queued.add(best.number)
                        attributes = {FINALIST: best.number}
                        self.study.enqueue_trial(dict(best.params), user_attrs=attributes)
        return bool(self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def importance(self) -> dict[str, float]:
        """Return the share of the variance of accuracy that each key explains, the largest first.

        Functional ANOVA (Hutter, Hoos, Leyton-Brown, ICML 2014) on the finished trials; empty
        where there are too few, or all are equally accurate.
        """
        # It takes seconds to import, once a study.
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        try:
            return get_param_importances(self.study, evaluator=FanovaImportanceEvaluator(seed=0))
        except (RuntimeError, ValueError):
            return {}

    def _suggest(self, trial: Trial) -> Setting:
        setting: Setting = {}
        for key, values in self.space.keys.items():
            if isinstance(values, Choices):
                # Optuna takes no lists: a value travels as its JSON.
                told = [json.dumps(value) for value in values.values]
                setting[key] = json.loads(trial.suggest_categorical(key, told))
            elif values.whole:
                low, high = int(values.low), int(values.high)
                setting[key] = trial.suggest_int(key, low, high, log=values.log)
            else:
                setting[key] = trial.suggest_float(key, values.low, values.high, log=values.log)
        return setting

    def _answered(self) -> list[FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False, states=ANSWERED)
        again = {trial.user_attrs.get(FINALIST) for trial in trials}
        return [trial for trial in trials if trial.number not in again]

    def _is_more_wanted(self) -> bool:
        states = [trial.state for trial in self.study.get_trials(deepcopy=False)]
        taken = sum(state in (*ANSWERED, TrialState.RUNNING) for state in states)
        return TrialState.WAITING in states or taken < self.wanted

    def _is_taken(self, trial: Trial) -> bool:
        """Say whether an earlier trial has the same point of the grid.

        Machines that open a study in a database together may each put the grid into the queue.
        """
        trials = self.study.get_trials(deepcopy=False)
        mine = trials[trial.number].system_attrs.get("fixed_params")
        if FINALIST in trial.user_attrs:
            return False
        return mine is not None and any(
            other.state != TrialState.FAIL and other.system_attrs.get("fixed_params") == mine
            for other in trials[: trial.number]
        )

    def _reclaim(self) -> None:
        """Give back the trials of workers of this machine that are gone."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = trial.user_attrs.get("worker")
            if worker != self.worker and not is_alive(self.folder, worker):
                self.give_back(trial.number)


def _promise(trial: FrozenTrial) -> tuple[int, float, str]:
    """Return what sorts settings given up: the furthest and most accurate first, ties by value."""
    return (
        -(trial.last_step or 0),
        -(trial.value or 0.0),
        json.dumps(trial.params, sort_keys=True),
    )
