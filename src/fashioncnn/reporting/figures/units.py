"""What excites the channels of a layer, and the pictures that channels and classes prefer."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.inside import UnitSheet, UnitsPart
from fashioncnn.reporting.figures.contact_sheet import Tile, as_grey, contact_sheet, in_rows
from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colours
from fashioncnn.reporting.style import FAINT, class_colours, ink_of

SIDE, STEP = 0.86, 0.9


def sheet(found: UnitSheet) -> Sheet:
    """Draw a row a channel: the picture that it prefers, then the patches that excite it most."""
    patches, preferred = found.patches.values, found.preferred.values
    ends = (found.patches.low, found.patches.high)
    drawn = Sheet()
    for row, (channel, one, exciting) in enumerate(
        zip(found.channels, preferred, patches, strict=True)
    ):
        y = row * STEP
        drawn.words.append(Words(str(channel), -0.08, y + SIDE / 2, 9, "right", "middle"))
        own = (float(one.min()), float(one.max()))
        for column, (values, scale) in enumerate([(one, own), *((p, ends) for p in exciting)]):
            shown = colours(values, "gray_r", *scale)
            drawn.pictures.append(Picture(shown, column * STEP, y, SIDE, SIDE, FAINT))
    drawn.words += [
        Words("preferred", SIDE / 2, -0.05, 9, "middle", "bottom"),
        Words("excited most by …", STEP, -0.05, 9, "left", "bottom"),
    ]
    return drawn


def classes(found: UnitsPart, names: Sequence[str]) -> Sheet:
    """Draw the picture that each class prefers."""
    tiles = [
        Tile(as_grey(picture), name, "", colour, ink_of(colour))
        for (name, colour), picture in zip(
            class_colours(names).items(), found.classes.values, strict=True
        )
    ]
    return contact_sheet(in_rows(tiles, 5), side=1.5)
