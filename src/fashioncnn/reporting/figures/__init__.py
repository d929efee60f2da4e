"""The figures of a page: each file draws one kind, from the page's document alone."""

from __future__ import annotations

from fashioncnn.reporting.figures.catalogue import makers_of
from fashioncnn.reporting.figures.drawing import draw

__all__ = ["draw", "makers_of"]
