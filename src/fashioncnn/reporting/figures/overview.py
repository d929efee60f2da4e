"""One picture of a whole run: how it learned, where it fails, what it looks for and sees."""

from __future__ import annotations

from matplotlib.figure import Figure

from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.figures import confusion, curves, feature_maps, filters, per_class
from fashioncnn.reporting.figures.pictures import column, on_dark

PICTURES = (0, 1, 5, 6, 8, 9)
CHANNELS = 6


def overview(document: RunDocument) -> Figure:
    """Draw loss, F1 by class, the confusion matrix, first filters and first feature maps."""
    found = document.inside
    assert found.pictures is not None
    # Placed by hand, which takes a third of the time that a layout engine does.
    figure = Figure(figsize=(15, 9.6))
    curves.plot(figure.add_axes((0.07, 0.56, 0.39, 0.4)), document.curves, "loss")
    per_class.plot(figure.add_axes((0.07, 0.06, 0.39, 0.42)), document)
    confusion.plot(figure.add_axes((0.57, 0.5, 0.42, 0.46)), document, font_size=7.5)

    first, one = found.filters[0], found.feature_maps[0]
    weights = figure.add_axes((0.52, 0.04, 0.17, 0.24))
    weights.imshow(filters.pixels(first), interpolation="nearest")
    weights.set_title(f"{first.layer}: its {first.weights.shape[0]} filters")
    rows = [row for row in PICTURES if row < one.maps.shape[0]]
    columns = range(min(CHANNELS, one.maps.shape[1]))
    pictures = figure.add_axes((0.725, 0.02, 0.04, 0.27))
    images = found.pictures.images.values
    pictures.imshow(column(images, rows, on_dark(images)), interpolation="nearest")
    pictures.set_title(f"{one.layer}: what it makes of pictures")
    maps = figure.add_axes((0.77, 0.02, 0.22, 0.27))
    maps.imshow(feature_maps.map_grid(one, rows, columns), interpolation="nearest")
    for axes in (weights, pictures, maps):
        axes.set_axis_off()
    return figure
