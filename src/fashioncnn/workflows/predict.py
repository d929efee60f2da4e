"""predict: what a network says of pictures of one's own."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashioncnn.bundles.bundle import is_bundle
from fashioncnn.console.say import with_progress
from fashioncnn.errors import DataError, StorageError
from fashioncnn.evaluation.answers import Model, Prediction, most_alike, predict_prepared
from fashioncnn.opening.models import AnyModel, open_model
from fashioncnn.photos.files import (
    MAX_FILE_BYTES,
    OTHER_PHOTOGRAPHS,
    SUFFIXES,
    picture_files,
    read_picture,
    read_picture_bytes,
)
from fashioncnn.photos.pictures import Prepared, prepare, wanted_side
from fashioncnn.photos.pixel_budget import BUDGET, decoded_pixels
from fashioncnn.runs.directory import is_run
from fashioncnn.runs.files import write_bytes
from fashioncnn.usercode.faults import user_code

if TYPE_CHECKING:
    from fashioncnn.training.device import DeviceName

STANDARD_INPUT = "-"
MAX_PICTURES = 100_000
# For the sheet: neighbours are looked for among so many training pictures.
NEIGHBOURS, LOOKED_AT = 3, 10_000
# A sheet of more rows could not be looked at.
MOST_SHOWN = 100


@user_code()
def predict(
    pictures: Sequence[Path | str] | Path | str,
    run: AnyModel | None = None,
    *,
    top: int = 3,
    not_sure_below: float | None = None,
    show: Path | str | None = None,
    device: DeviceName = "auto",
) -> list[Prediction]:
    """Say what the network of a run or a bundle, or the one that comes along, makes of files.

    `pictures` are one or several files, folders, patterns such as "*.jpg", or "-" for standard
    input. For networks of Fashion-MNIST, photographs are converted to pictures as the data set's
    own are (see `photos.convert`), and the answer is the mean of log-probabilities over six
    renderings; grey pictures of 28 x 28 pixels are taken as they are. For other networks pictures
    are resized, as their data set's were. The answer is None where a photograph lacks the network's
    `evaluation.sureness`, or any picture the probability `not_sure_below` where that is given, and
    where no garment, hardly one or several pieces are found. `show` names a PNG file for a sheet of
    what was done, with the first 100 pictures. Files that cannot be read have a `fault`. Raises
    DataError where there are no pictures.
    """
    if not_sure_below is not None and not 0 <= not_sure_below <= 1:
        raise DataError(f"not_sure_below is {not_sure_below}; it must be 0 to 1")
    if top < 1:
        raise DataError(f"top is {top}; it must be 1 or more")
    if isinstance(pictures, Iterable) and not isinstance(pictures, str | Path):
        names = _files(list(pictures))
    else:
        names = _files([pictures])
    if show is not None:
        check_output(show, names)
    model = open_model(run, device)
    steps = set(names[:MOST_SHOWN]) if show is not None else set()
    read = partial(_read, model)
    with ThreadPoolExecutor() as pool:

        def read_within_budget(name: str) -> Prepared | str:
            with BUDGET.spend(0 if name == STANDARD_INPUT else decoded_pixels(Path(name))):
                return read(name, keep_steps=name in steps)

        found = pool.map(read_within_budget, names)
        done = with_progress(found, len(names), "reading pictures")
        prepared = dict(zip(names, done, strict=True))
    whole = {name: one for name, one in prepared.items() if isinstance(one, Prepared)}
    of_whole = predict_prepared(model, whole, top, not_sure_below)
    if shown := {name: one for name, one in whole.items() if name in steps}:
        assert show is not None
        _show(model, shown, of_whole, Path(show))
    return [of_whole.get(name) or Prediction(name, fault=str(prepared[name])) for name in names]


def check_output(file: Path | str, names: Sequence[str]) -> None:
    """Raise DataError where `file` is one of the pictures called `names`: it would be lost."""
    written = os.path.realpath(file)
    if any(os.path.realpath(name) == written for name in names):
        raise DataError(f"{file} is one of the pictures: choose another file to write")


def _files(pictures: Sequence[object]) -> list[str]:
    """Return the files that `pictures` name, each once. Raises DataError where there are none."""
    names: list[str] = []
    for one in pictures:
        if not isinstance(one, str | Path):
            told = f"{type(one).__name__} is no file's name"
            raise DataError(f"{told}; pictures in memory go to fc.load(run).predict")
    for given in map(str, pictures):
        if not given:
            raise DataError("no picture: an empty name")
        path = Path(given)
        if is_run(path) or is_bundle(path):
            raise DataError(f"{path} is a network, and stands before the pictures")
        if given != STANDARD_INPUT and path.is_dir():
            # Each that is not read is said.
            names += map(str, picture_files(path, MAX_PICTURES, (*SUFFIXES, *OTHER_PHOTOGRAPHS)))
        elif given != STANDARD_INPUT and not path.exists() and glob.has_magic(given):
            matching = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 as it was typed
            # One that matches nothing is said among the others.
            names += matching or ([given] if len(pictures) > 1 else [])
        else:
            names.append(given)
    if not names:
        raise DataError(f"no picture: {', '.join(map(str, pictures)) or 'none was named'}")
    if len(names) > MAX_PICTURES:
        raise DataError(f"{len(names):,} pictures; at most {MAX_PICTURES:,} at once")
    return list(dict.fromkeys(names))


def _read(model: Model, name: str, *, keep_steps: bool) -> Prepared | str:
    """Make pictures of a file as the network's data set has them, or say why that cannot be."""
    shape, photographs = model.shape, model.photographs
    side = wanted_side(shape.height, shape.width, photographs)
    try:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                return "standard input: closed"
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
            if len(content) > MAX_FILE_BYTES:
                return f"standard input: larger than {MAX_FILE_BYTES:,} bytes"
            picture = read_picture_bytes(content, "standard input", side)
        else:
            picture = read_picture(Path(name), side)
    except (DataError, StorageError) as error:
        return str(error)
    return prepare(picture, shape, photographs, keep_steps)


def _show(
    model: Model,
    prepared: dict[str, Prepared],
    predictions: dict[str, Prediction],
    file: Path,
) -> None:
    """Draw what was done, and what the answer rests on, as PNG."""
    # Here, as it takes half a second to import.
    from fashioncnn.reporting.figures.predicted import Shown, sheet

    names = model.class_names
    images = np.stack([one.images_NHWC[0] for one in prepared.values()])
    likeliest = [names.index(predictions[name].probabilities[0][0]) for name in prepared]
    maps = model.attribution(images, np.array(likeliest))
    nearest = most_alike(model, images, NEIGHBOURS, LOOKED_AT)
    shown = [
        Shown(
            name,
            one.photo_HWC,
            one.outline,
            one.images_NHWC,
            predictions[name].answer,
            predictions[name].probabilities,
            predictions[name].warnings,
            maps[row],
            nearest[row],
        )
        for row, (name, one) in enumerate(prepared.items())
    ]
    png = BytesIO()
    sheet(shown, names).png(120).save(png, "PNG")
    write_bytes(Path(os.path.realpath(file)), png.getvalue())
