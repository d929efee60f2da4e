"""What every learning-rate schedule has: a warm-up, and a decay after it."""

from __future__ import annotations

from abc import abstractmethod

from fashioncnn.settings import NotNegative, Probability, Settings


class ScheduleSettings(Settings):
    """Settings of one schedule; a schedule's own add its keys."""

    name: str
    warmup_epochs: NotNegative = 0.0
    """A straight climb to the peak at the beginning."""
    initial_factor: Probability = 0.0
    """Where the climb begins, as a share of the peak."""

    @abstractmethod
    def decay(self, share: float) -> float:
        """Return the factor on the peak rate after `share` (0 to 1) of the steps after warm-up."""

    def factor(self, step: int, *, total_steps: int, warmup_steps: int) -> float:
        """Return the factor on the peak rate for `step` (from 0) of `total_steps`.

        The first `warmup_steps` climb in a straight line from `initial_factor` to 1, which the
        step after them has; the last step has the end of the decay.
        """
        if step < warmup_steps:
            return self.initial_factor + (1 - self.initial_factor) * step / warmup_steps
        decay_steps = max(1, total_steps - 1 - warmup_steps)
        return self.decay(min(1.0, (step - warmup_steps) / decay_steps))
