"""The table `training`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fashioncnn.settings import Settings


class TrainingSettings(Settings):
    """How long, in what portions, in what arithmetic."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Passes; one over the selected pictures is a pass, too."""
    batch_size: Annotated[int, Field(ge=1, le=60_000)] = 64
    """Pictures a step."""
    shuffle: bool = True
    """A new random order every epoch; else pictures come as they lie in the data."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """auto: bf16 where the device has instructions for it, else fp32."""
