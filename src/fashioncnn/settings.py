"""What settings are made of: a strict table, and the kinds of values that its keys may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
# Neither nothing nor all.
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=4096), Strict()], ...], Strict(False)]


class Settings(BaseModel):
    """A table of a recipe: strict types, no unknown keys, no change after reading.

    The docstring below a key says what it means, for people who list the keys.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )
