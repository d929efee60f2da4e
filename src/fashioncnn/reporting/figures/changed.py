"""The pictures whose answers changed from one group of runs to another."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.comparison import ComparedPart
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import INK, class_colours, ink_of, label_of

COLUMNS = 8
# Above a picture of an inch.
LONGEST = 13


def pictures(comparison: ComparedPart, class_names: Sequence[str]) -> Sheet:
    """Draw a row of the pictures most gained and a row of those most lost."""
    colours = class_colours(class_names)
    rows, words = [], []
    for name, found in (("gained", comparison.gained), ("lost", comparison.lost)):
        if not found or not found.images:
            continue
        words.append(name)
        rows.append(
            [
                Tile(
                    image,
                    label_of(found.true[at], LONGEST),
                    f"{_right(found.right_before[at])} → {_right(found.right_after[at])}   "
                    f"#{found.indices[at]}",
                    colours[found.true[at]],
                    ink_of(colours[found.true[at]]),
                )
                for at, image in enumerate(found.images.values[:COLUMNS])
            ]
        )
    return contact_sheet(rows, words, [INK] * len(words))


def _right(share: float) -> str:
    """Say how many of a group's runs had a picture right; of a single one it is all or none."""
    return {0.0: "wrong", 1.0: "right"}.get(share, f"{share:.0%}")
