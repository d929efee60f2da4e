"""The table `freezing`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fashioncnn.settings import Settings, Share


class FreezingSettings(Settings):
    """Letting the first stages of the network rest when they have learned."""

    after_share: Share
    """The share of `training.epochs` after which they learn no more; they learn in one at least."""
    stages: Annotated[int, Field(ge=1)] = 1
    """How many stages rest, from the first."""
