"""The first pictures of each class of a data set."""

from __future__ import annotations

import numpy as np

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import FAINT, class_colours, ink_of

COLUMNS, MOST_CLASSES = 8, 100


def sheet(pictures: LabelledImages) -> Sheet:
    """Draw a row a class, with its name and how many pictures it has."""
    colours = class_colours(pictures.class_names)
    rows, words, inks = [], [], []
    for label, name in enumerate(pictures.class_names[:MOST_CLASSES]):
        mine = np.flatnonzero(pictures.labels == label)
        if len(mine):
            rows.append([Tile(pictures.images_NHWC[at], frame=FAINT) for at in mine[:COLUMNS]])
            words.append(f"{name}\n{len(mine):,}")
            inks.append(ink_of(colours[name]))
    return contact_sheet(rows, words, inks, side=0.7)
