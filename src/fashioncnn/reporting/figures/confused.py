"""The most confused pairs of classes, with the actual pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fashioncnn.evaluation.scores import Confusion
from fashioncnn.reporting.documents.run import ConfusedPictures
from fashioncnn.reporting.figures.contact_sheet import Tile, contact_sheet
from fashioncnn.reporting.figures.sheet import Sheet
from fashioncnn.reporting.style import class_colours, ink_of, label_of


def pictures(
    found: ConfusedPictures, confusions: Sequence[Confusion], names: Sequence[str]
) -> Sheet:
    """Draw a row a pair: how often, and the pictures that the network was surest about."""
    colours = class_colours(names)
    number = {name: index for index, name in enumerate(names)}
    labels, predicted = np.array(found.labels), np.array(found.predicted)
    images = found.images.values
    rows, words, inks = [], [], []
    for pair in confusions:
        chosen = np.flatnonzero(
            (labels == number[pair.true]) & (predicted == number[pair.predicted])
        )
        if not len(chosen):
            continue
        rows.append(
            [
                Tile(
                    images[at],
                    f"{found.probabilities[at]:.0%} sure",
                    f"#{found.indices[at]}",
                    colours[pair.predicted],
                )
                for at in chosen
            ]
        )
        words.append(
            f"{label_of(pair.true)}\ntaken for {label_of(pair.predicted)}\n"
            f"{pair.count} times ({pair.share:.1%})"
        )
        inks.append(ink_of(colours[pair.true]))
    return contact_sheet(rows, words, inks, side=0.8)
