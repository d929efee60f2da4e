"""One picture of a whole run: how it learned, where it fails, what it looks for and sees."""

from __future__ import annotations

from matplotlib.figure import Figure

from fashioncnn.reporting.facts import Group
from fashioncnn.reporting.figures import confusion, curves, feature_maps, filters, per_class

PICTURES = (0, 1, 5, 6, 8, 9)
CHANNELS = 6


def overview(group: Group) -> Figure:
    """Draw loss, F1 by class, the confusion matrix, first filters and first feature maps."""
    run = group.first
    assert run.filters is not None
    assert run.feature_maps is not None
    assert run.pictures is not None
    figure = Figure(figsize=(15, 9.6), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.05, 1])[0]
    top_left, bottom_left = left.subfigures(2, 1, height_ratios=[1, 1.05])
    curves.plot(top_left.add_subplot(), group, "loss")
    per_class.plot(bottom_left.add_subplot(), group)
    top_right, bottom_right = right.subfigures(2, 1, height_ratios=[1.55, 1])
    confusion.plot(top_right.add_subplot(), group, font_size=7.5)

    filter_part, map_part = bottom_right.subfigures(1, 2, width_ratios=[1, 1.35])
    layer = next(iter(run.filters))
    axes = filter_part.add_subplot()
    filters.plot(axes, run.filters[layer], colour_bar=False)
    axes.set_title(f"{layer}: its {len(run.filters[layer])} filters")

    layer = next(iter(run.feature_maps))
    maps = run.feature_maps[layer]
    rows = [row for row in PICTURES if row < len(maps)]
    channels = feature_maps.most_varied(maps, CHANNELS)
    pictures_axes, maps_axes = map_part.subplots(1, 2, width_ratios=[1, CHANNELS])
    feature_maps.plot_pictures(pictures_axes, run.pictures, rows)
    feature_maps.plot_maps(maps_axes, maps, rows, channels)
    map_part.suptitle(f"{layer}: what it makes of pictures", fontsize=11, fontweight="bold")
    return figure
