"""A constant learning rate."""

from __future__ import annotations

from typing import Literal

from fashioncnn.training.schedules.base import ScheduleSettings


class ConstantSettings(ScheduleSettings):
    """Stay at the peak."""

    name: Literal["constant"] = "constant"

    def decay(self, share: float) -> float:
        """See ScheduleSettings."""
        del share
        return 1.0
