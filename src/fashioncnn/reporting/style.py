"""One look for every figure: class colours, ink, sizes."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

# Paul Tol's "muted" scheme, which the colour-blind can tell apart, and an orange.
_PALETTE = (
    "#CC6677",
    "#332288",
    "#DDCC77",
    "#117733",
    "#88CCEE",
    "#882255",
    "#E67300",
    "#44AA99",
    "#999933",
    "#AA4499",
)
INK = "#1b1f24"
FAINT = "#8b949e"
TRAINING = "#b35900"
VALIDATION = "#0b5cad"
DPI = 120
# Of more classes, an axis names every second or third.
MOST_LABELS, LONGEST_LABEL = 25, 25

# With fonts by reporting/fonts.py.
SETTINGS: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": False,
    "grid.color": "#e4e8ec",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.fonttype": "path",
    # Names of classes and files may have dollars.
    "text.parse_math": False,
    "svg.hashsalt": "fashioncnn",
}


def label_of(name: str, longest: int = LONGEST_LABEL) -> str:
    """Return a name as it fits beside an axis: a long one by its beginning and its end."""
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def class_colours(class_names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each class: the same class has the same colour everywhere.

    The first ten are of the palette; for more classes, all are hues of equal distance, in turn
    light and dark.
    """
    count = len(class_names)
    if count <= len(_PALETTE):
        return dict(zip(class_names, _PALETTE, strict=False))
    return {name: _hue(index, count) for index, name in enumerate(class_names)}


def _hue(index: int, count: int) -> str:
    # Neighbours in the list are far apart on the circle: steps of the golden ratio.
    hue = (index * 0.6180339887498949) % 1
    light = (0.36, 0.52, 0.68)[index % 3]
    saturation = (0.85, 0.6)[index // 3 % 2] if count > 20 else 0.75
    channels = colorsys.hls_to_rgb(hue, light, saturation)
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in channels)


def ink_of(colour: str) -> str:
    """Return `colour` dark enough to read as text on white."""
    channels = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
    # Perceived lightness, ITU-R BT.601.
    light = (0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2]) / 255
    factor = min(1.0, 0.42 / light)
    return "#" + "".join(f"{round(channel * factor):02x}" for channel in channels)
