"""What excites the channels of a layer, and the pictures that channels and classes prefer."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.inside import UnitSheet, UnitsPart
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet, in_rows
from fashioncnn.reporting.figures.pictures import shown, stretched
from fashioncnn.reporting.figures.sheet import Sheet, Words, fitted
from fashioncnn.reporting.style import FAINT, class_colours, ink_of

SIDE, STEP = 0.86, 0.9


def sheet(found: UnitSheet, dark: bool) -> Sheet:
    """Draw a row a channel: the picture that it prefers, then the patches that excite it most.

    Greys are reversed where the data set's pictures are `dark`.
    """
    patches, preferred = found.patches.values, found.preferred.values
    drawn = Sheet()
    for row, (channel, one, exciting) in enumerate(
        zip(found.channels, preferred, patches, strict=True)
    ):
        y = row * STEP
        drawn.words.append(Words(str(channel), -0.08, y + SIDE / 2, 9, "right", "middle"))
        for column, values in enumerate([stretched(one), *exciting]):
            pixels = shown(values, dark)
            drawn.pictures.append(fitted(pixels, column * STEP, y, SIDE, FAINT))
    drawn.words += [
        Words("preferred", SIDE / 2, -0.05, 9, "middle", "bottom"),
        Words("excited most by …", STEP, -0.05, 9, "left", "bottom"),
    ]
    return drawn


def classes(found: UnitsPart, names: Sequence[str], dark: bool) -> Sheet:
    """Draw the picture that each class prefers."""
    tiles = [
        Tile(stretched(picture), name, "", colour, ink_of(colour))
        for (name, colour), picture in zip(
            class_colours(names).items(), found.classes.values, strict=True
        )
    ]
    return contact_sheet(in_rows(tiles, 5), side=1.5, dark=dark)
