"""A straight fall after the warm-up (Smith, arXiv 1803.09820, sec. 4.3)."""

from __future__ import annotations

from typing import Literal

from fashioncnn.settings import Probability
from fashioncnn.training.schedules.base import ScheduleSettings


class OneCycleSettings(ScheduleSettings):
    """Fall in a straight line."""

    name: Literal["one-cycle"] = "one-cycle"
    final_factor: Probability = 0.0
    """Where it ends, as a share of the peak."""

    def decay(self, share: float) -> float:
        """See ScheduleSettings."""
        return 1 + (self.final_factor - 1) * share
