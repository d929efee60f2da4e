"""What a data audit found, as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.audit import CandidateSheet, PairSheet
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet, in_rows
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import class_colours, ink_of

COLUMNS = 8


def pairs(found: PairSheet, class_names: Sequence[str]) -> Sheet:
    """Draw pairs of pictures, each with its label, its split and its number."""
    colours = class_colours(class_names)
    tiles = []
    for pair, images in zip(found.pairs, found.images.values, strict=True):
        for side, image in enumerate(images):
            name = class_names[pair.labels[side]]
            below = f"{name}\n{pair.splits[side]} #{pair.indices[side]}"
            tiles.append(Tile(image, pair.words if side else "", below, colours[name]))
    return contact_sheet(in_rows(tiles, COLUMNS))


def candidates(found: CandidateSheet, class_names: Sequence[str]) -> Sheet:
    """Draw the likeliest candidates: above each what networks say, below it the label."""
    colours = class_colours(class_names)
    tiles = []
    for at, image in enumerate(found.images.values):
        suggested = class_names[found.suggested[at]]
        tiles.append(
            Tile(
                image,
                f"{suggested}? {found.suggested_probabilities[at]:.0%}",
                f"labelled {class_names[found.labels[at]]}\n#{found.indices[at]}",
                colours[suggested],
                ink_of(colours[suggested]),
            )
        )
    return contact_sheet(in_rows(tiles, COLUMNS))
