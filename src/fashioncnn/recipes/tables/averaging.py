"""The table `averaging`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fashioncnn.settings import Settings


class AveragingSettings(Settings):
    """Exponential moving average of the weights."""

    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """0 is off; with 0.999 the average spans about the last 1,000 steps."""
