"""Single pictures that tell: the worst mistakes, and the right answers that were nearly wrong."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.run import TellingPictures
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet, in_rows
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import class_colours, ink_of, label_of

COLUMNS = 8
# Letters of a name beside a picture.
LONGEST = 15


def sheet(found: TellingPictures, names: Sequence[str], words: str) -> Sheet:
    """Draw a picture each: above it the answer, below it `words` and the other class."""
    colours = class_colours(names)
    tiles = []
    for row, image in enumerate(found.images.values):
        answer = names[found.answers[row]]
        told, other = (label_of(one, LONGEST) for one in (answer, names[found.others[row]]))
        tiles.append(
            Tile(
                image,
                f"{told} {found.answer_probabilities[row]:.0%}",
                f"{words} {other}\n{found.other_probabilities[row]:.1%}   #{found.indices[row]}",
                colours[answer],
                ink_of(colours[answer]),
            )
        )
    return contact_sheet(in_rows(tiles, COLUMNS))
