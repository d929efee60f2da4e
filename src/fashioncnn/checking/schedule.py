"""Checks of a learning-rate schedule."""

from __future__ import annotations

from fashioncnn.checking.finding import Check, Problem
from fashioncnn.training.schedules.base import ScheduleSettings

STEPS = 100


def _factors(schedule: ScheduleSettings) -> list[float]:
    return [schedule.factor(step, total_steps=STEPS, warmup_steps=0) for step in range(STEPS)]


def gives_factors(schedule: ScheduleSettings) -> None:
    """Gives a factor of 0 or more for every step."""
    factors = _factors(schedule)
    if max(factors) == 0:
        raise Problem("all are 0: nothing would be learned", "1 is the peak")
    if max(factors) > 1:
        raise Problem(
            f"the largest is {max(factors):g}",
            "1 is the peak: above it, optimizer.learning_rate is no longer what it says",
            note=True,
        )


def follows_from_the_step(schedule: ScheduleSettings) -> None:
    """Follows from the step alone, so that a stopped training goes on."""
    forward = _factors(schedule)
    backward = [
        schedule.factor(step, total_steps=STEPS, warmup_steps=0) for step in reversed(range(STEPS))
    ]
    if forward != backward[::-1]:
        raise Problem(
            "asked in another order, it answers otherwise", "keep nothing from call to call"
        )


CHECKS: tuple[Check[ScheduleSettings], ...] = (gives_factors, follows_from_the_step)
