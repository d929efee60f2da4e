"""The feature maps of one layer, for chosen test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.documents.inside import ExplainedPictures, MapSheet
from fashioncnn.reporting.figures.mosaic import mosaic
from fashioncnn.reporting.figures.pictures import on_dark, shown
from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colour_bar, colours, fitted
from fashioncnn.reporting.style import class_colours, ink_of

SIDE, GAP = 0.62, 0.04
STEP = SIDE + GAP
# Where the answers begin, and how wide features without a place are together.
LEFT, FEATURES_WIDTH = STEP + 0.12, 9.0


def sheet(one: MapSheet, pictures: ExplainedPictures, class_names: Sequence[str]) -> Sheet:
    """Draw a row a picture: the picture, then the layer's most varied channels or all features."""
    drawn, maps = Sheet(), one.maps.values
    _pictures(drawn, pictures, class_names, len(maps))
    if maps.ndim == 4:
        right = _maps(drawn, one, maps)
        some = maps.shape[1] < one.channel_count
        part = f", the {maps.shape[1]} most varied by number" if some else ""
        title = f"{one.channel_count} channels of {maps.shape[2]}x{maps.shape[3]}{part}"
    else:
        right = _features(drawn, one, maps, class_names)
        title = f"{maps.shape[1]} features"
    drawn.words.append(Words(f"{one.layer}: {title}", 0, -0.26, 11, down="bottom", bold=True))
    height, words = STEP * len(maps) - GAP, "activation, one scale for the sheet"
    colour_bar(drawn, "viridis", (one.maps.low, one.maps.high), right + 0.14, 0, height, words)
    return drawn


def pixels(values_HW: NDArray[Any], one: MapSheet) -> NDArray[np.uint8]:
    """Return a map, or several as one mosaic, on the scale of the whole sheet."""
    return colours(values_HW, "viridis", one.maps.low, one.maps.high)


def _pictures(
    drawn: Sheet, pictures: ExplainedPictures, class_names: Sequence[str], count: int
) -> None:
    shades = class_colours(class_names)
    images = pictures.images.values[:count]
    dark = on_dark(images)
    for row, image in enumerate(images):
        name, y = class_names[pictures.labels[row]], STEP * row
        drawn.pictures.append(fitted(shown(image, dark), 0, y, SIDE))
        words, ink = f"{name}\n#{pictures.indices[row]}", ink_of(shades[name])
        middle = y + SIDE / 2
        drawn.words.append(Words(words, -0.08, middle, 8, "right", "middle", ink, bold=True))


def _maps(drawn: Sheet, one: MapSheet, maps: NDArray[Any]) -> float:
    """Lay the maps (n, channels, h, w) out, their channels' numbers on top; return the right."""
    count, channels = maps.shape[0], maps.shape[1]
    for row in range(count):
        for column in range(channels):
            at = (LEFT + STEP * column, STEP * row)
            drawn.pictures.append(fitted(pixels(maps[row, column], one), *at, SIDE))
    for column, channel in enumerate(one.channels[:channels]):
        middle = LEFT + STEP * column + SIDE / 2
        drawn.words.append(Words(str(channel), middle, -0.04, 8, "middle", "bottom"))
    return LEFT + STEP * int(channels) - GAP


def _features(drawn: Sheet, one: MapSheet, maps: NDArray[Any], class_names: Sequence[str]) -> float:
    """Lay features (n, features) out as stripes, named where they are classes."""
    count, features = maps.shape
    for row in range(count):
        shown = pixels(maps[row : row + 1], one)
        drawn.pictures.append(Picture(shown, LEFT, STEP * row, FEATURES_WIDTH, SIDE))
    bottom, step = STEP * count, FEATURES_WIDTH / features
    if features == len(class_names):
        for index, name in enumerate(class_names):
            middle = LEFT + step * (index + 0.5)
            drawn.words.append(Words(name, middle, bottom, 8, "middle"))
    else:
        words = f"feature, 0 to {features - 1}"
        drawn.words.append(Words(words, LEFT + FEATURES_WIDTH / 2, bottom, 8, "middle"))
    return LEFT + FEATURES_WIDTH


def map_grid(one: MapSheet, rows: Sequence[int], columns: Sequence[int]) -> NDArray[np.uint8]:
    """Return the maps of `rows` and `columns` as one mosaic."""
    maps = one.maps.values
    return pixels(
        mosaic([maps[row, column] for row in rows for column in columns], len(columns)), one
    )
