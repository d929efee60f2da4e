"""The filters of one convolution layer, as pictures with a colour scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.documents.inside import FilterSheet
from fashioncnn.reporting.figures.mosaic import mosaic
from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colour_bar, colours

WIDTH, MOST_HEIGHT = 7.0, 14.0
GROUND = "#c9ced4"


def sheet(found: FilterSheet) -> Sheet:
    """Draw all filters: on a picture, a grid; on channels, a row for each output channel."""
    outputs, inputs, height, width = found.weights.shape
    shown = pixels(found)
    high = min(WIDTH * shown.shape[0] / shown.shape[1], MOST_HEIGHT)
    drawn = Sheet([Picture(shown, 0, 0, WIDTH, high)])
    words = f"{found.layer}: {outputs} filters of {height}x{width}"
    words += f" on {inputs} channels" if inputs > 3 else ", on the picture itself"
    drawn.words.append(Words(words, 0, -0.08, 11, down="bottom", bold=True))
    if inputs > 3:
        below = Words("input channel, 0 at the left", WIDTH / 2, high + 0.08, 9, "middle")
        beside = Words(
            "output channel, 0 at the top", -0.08, high / 2, 9, "right", "middle", upwards=True
        )
        drawn.words += [below, beside]
    if inputs != 3:
        ends = (found.weights.low, found.weights.high)
        colour_bar(drawn, "RdBu_r", ends, WIDTH + 0.2, 0, high, "weight")
    return drawn


def pixels(found: FilterSheet) -> NDArray[np.uint8]:
    """Return filters (out, in, h, w) as one mosaic; zero is white on a scale symmetric about it.

    Filters on red, green and blue are in these colours; there, zero is mid-grey.
    """
    weights: NDArray[Any] = found.weights.values
    outputs, inputs = weights.shape[:2]
    columns = inputs if inputs > 3 else math.ceil(math.sqrt(outputs * 2))
    if inputs == 3:
        shades = (weights - found.weights.low) / (found.weights.high - found.weights.low) * 255
        of_channels = [mosaic(list(shades[:, channel]), columns) for channel in range(3)]
        return np.nan_to_num(np.stack(of_channels, axis=-1), nan=255).astype(np.uint8)
    tiles = list(weights.reshape(-1, *weights.shape[2:]))
    ends = (found.weights.low, found.weights.high)
    return colours(mosaic(tiles, columns), "RdBu_r", *ends, ground=GROUND)
