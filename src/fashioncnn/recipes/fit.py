"""A recipe made to fit a data set: what it leaves to the data is settled, what jars is said."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.recipes.load import BY_CLASS, validate
from fashioncnn.recipes.schema import Recipe

# Of the training pictures, where the recipe asks for more than half of them: 5,000 of 60,000.
VALIDATION_SHARE = 1 / 12
# Pixels are added up so many pictures at a time.
SUMMED_AT_ONCE = 1000


def fit(recipe: Recipe, data: DataSet) -> tuple[Recipe, list[str]]:
    """Return the recipe as it is trained on `data`, and what of it does not fit, a line each.

    Sizes, means and deviations that are "data" are taken from the training pictures. What is
    returned fits again as it is. Raises RecipeError for names of classes that the data lacks, and
    for networks that cannot take the pictures.
    """
    tables = recipe.model_dump(mode="json", exclude_none=True)
    settings = tables["data"]
    train, remarks = data.train, []
    shape = train.shape
    if settings["image_size"] == "data":
        settings["image_size"] = [shape.height, shape.width]
    if "data" in (settings["pixel_mean"], settings["pixel_std"]):
        means, stds = channel_statistics(train)
        for key, values in (("pixel_mean", means), ("pixel_std", stds)):
            if settings[key] == "data":
                settings[key] = values if len(values) > 1 else values[0]
    # Of Fashion-MNIST any part may be left to train on; what a recipe says was chosen for it.
    most = len(train) - 1 if data.is_fashion_mnist else len(train) // 2
    if data.validation is None and settings["validation_images"] > most:
        fewer = round(len(train) * VALIDATION_SHARE)
        remarks.append(
            f"data.validation_images is {settings['validation_images']:,} of {len(train):,} "
            f"training pictures: {fewer:,} are set aside"
        )
        settings["validation_images"] = fewer
    if not data.is_fashion_mnist:
        tables.pop("promise", None)
        remarks += _without_others_classes(tables, data.class_names)
    fitted = validate(tables, recipe.name, data.class_names)
    if not data.is_fashion_mnist:
        remarks += _unfitting(fitted, data)
    return fitted, remarks


def channel_statistics(pictures: LabelledImages) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel's pixels, on the scale 0 to 1."""
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(pictures), SUMMED_AT_ONCE):
        pixels = pictures.images_NHWC[start : start + SUMMED_AT_ONCE] / 255
        count += pixels[..., 0].size
        total = total + pixels.sum((0, 1, 2))
        squares = squares + np.square(pixels).sum((0, 1, 2))
    means = np.asarray(total) / count
    # A channel that never varies is divided by one grey of 255, not by nothing.
    stds = np.sqrt(np.maximum(np.asarray(squares) / count - means**2, 0)).clip(1 / 255)
    return [round(float(one), 6) for one in means], [round(float(one), 6) for one in stds]


def _without_others_classes(tables: dict[str, Any], class_names: tuple[str, ...]) -> list[str]:
    """Drop what is for classes of another data set, where none of the names is known."""
    remarks = []
    for table, key in BY_CLASS:
        named = tables.get(table, {}).get(key)
        if not named or any(name in class_names for name in named):
            continue
        if table == "reported":
            del tables[table]
            continue
        tables[table][key] = {}
        remarks.append(f"{table}.{key} is for classes that these pictures do not have: left out")
    return remarks


def _unfitting(recipe: Recipe, data: DataSet) -> list[str]:
    """Say which choices of a recipe for Fashion-MNIST a person would make otherwise here."""
    remarks = []
    shape, (height, width) = data.shape, recipe.data.size
    if height * width < shape.height * shape.width:
        remarks.append(
            f"pictures of {shape.height} x {shape.width} are shrunk to {height} x {width}; "
            f'--set data.image_size="data" keeps their size'
        )
    flips = recipe.augmentation.strengths().get("horizontal_flip_probability", 0.0)
    if flips and all(len(name) == 1 for name in data.class_names):
        remarks.append(
            "the recipe mirrors pictures; if these are digits or letters, leave that out: "
            "--set augmentation.horizontal_flip_probability=0"
        )
    return remarks
