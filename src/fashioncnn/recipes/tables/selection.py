"""The table `selection`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fashioncnn.settings import Count, Settings


class SelectionSettings(Settings):
    """Spending the later epochs on the pictures that are still hard."""

    full_epochs: Count
    """Epochs over all pictures, to begin with."""
    kept_share: Annotated[float, Field(gt=0, le=1)]
    """Of the pictures, in every epoch after: those whose latest known loss is largest."""
