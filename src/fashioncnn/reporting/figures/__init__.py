"""The figures of a page: each file draws one kind, from the page's document alone."""

from __future__ import annotations

from fashioncnn.reporting.figures.catalogue import makers_of
from fashioncnn.reporting.figures.sharing import Helper, draw

__all__ = ["Helper", "draw", "makers_of"]
