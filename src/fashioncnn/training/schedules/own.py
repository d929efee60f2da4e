"""A schedule of the user's own: a function of the share of the steps in a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from fashioncnn.errors import CodeError
from fashioncnn.training.schedules.base import ScheduleSettings
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.part import NamedOwnPart


class OwnScheduleSettings(NamedOwnPart, ScheduleSettings, extra="allow"):
    """A schedule of your own: every further key is a keyword of its function or class."""

    @property
    def by_place(self) -> int:
        """See OwnPart: the share."""
        return self.by_place_of_function(1)

    @cached_property
    def _factor_of(self) -> Callable[[float], Any]:
        with user_code(self.name):
            return self.function()

    def decay(self, share: float) -> float:
        """See ScheduleSettings. Raises CodeError for what is no factor."""
        with user_code(self.name):
            factor = self._factor_of(share)
        try:
            number = float(factor)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            raise CodeError(
                f"{self.name} returns {factor!r} after {share:.0%} of the steps; it must be a "
                "number of 0 or more, a factor on optimizer.learning_rate"
            )
        return number
