"""Half a cosine (Loshchilov and Hutter, arXiv 1608.03983, eq. 5, no restart)."""

from __future__ import annotations

import math
from typing import Literal

from fashioncnn.settings import Probability
from fashioncnn.training.schedules.base import ScheduleSettings


class CosineSettings(ScheduleSettings):
    """Fall along half a cosine."""

    name: Literal["cosine"] = "cosine"
    final_factor: Probability = 0.0
    """Where it ends, as a share of the peak."""

    def decay(self, share: float) -> float:
        """See ScheduleSettings."""
        return self.final_factor + (1 - self.final_factor) * (1 + math.cos(math.pi * share)) / 2
