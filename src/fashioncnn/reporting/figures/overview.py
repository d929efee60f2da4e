"""One picture of a whole run: how it learned, where it fails, what it looks for and sees."""

from __future__ import annotations

from matplotlib.figure import Figure

from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.figures import confusion, curves, feature_maps, filters, per_class

PICTURES = (0, 1, 5, 6, 8, 9)
CHANNELS = 6


def overview(document: RunDocument) -> Figure:
    """Draw loss, F1 by class, the confusion matrix, first filters and first feature maps."""
    found = document.inside
    assert found.pictures is not None
    figure = Figure(figsize=(15, 9.6), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.05, 1])[0]
    top_left, bottom_left = left.subfigures(2, 1, height_ratios=[1, 1.05])
    curves.plot(top_left.add_subplot(), document.curves, "loss")
    per_class.plot(bottom_left.add_subplot(), document)
    top_right, bottom_right = right.subfigures(2, 1, height_ratios=[1.55, 1])
    confusion.plot(top_right.add_subplot(), document, font_size=7.5)

    filter_part, map_part = bottom_right.subfigures(1, 2, width_ratios=[1, 1.35])
    first = found.filters[0]
    axes = filter_part.add_subplot()
    filters.plot(axes, first, colour_bar=False)
    axes.set_title(f"{first.layer}: its {first.weights.shape[0]} filters")

    one = found.feature_maps[0]
    maps = one.maps.values
    rows = [row for row in PICTURES if row < len(maps)]
    columns = range(min(CHANNELS, maps.shape[1]))
    pictures_axes, maps_axes = map_part.subplots(1, 2, width_ratios=[1, CHANNELS])
    feature_maps.plot_pictures(pictures_axes, found.pictures, found.class_names, rows)
    feature_maps.plot_maps(maps_axes, one, maps, rows, columns)
    map_part.suptitle(f"{one.layer}: what it makes of pictures", fontsize=11, fontweight="bold")
    return figure
