"""predict: what a network says of pictures of one's own."""

from __future__ import annotations

import glob
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fashioncnn.console.say import with_progress
from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.sources.fashion_mnist import NAME as FASHION_MNIST
from fashioncnn.errors import DataError, StorageError
from fashioncnn.evaluation.out_of_distribution import signs
from fashioncnn.opening.own_weights import own_weights
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import Trained, open_trained
from fashioncnn.photos.convert import NOTHING_FOUND, SEVERAL_PIECES, WORKING_SIDE, convert
from fashioncnn.photos.files import (
    MAX_FILE_BYTES,
    picture_files,
    read_picture,
    read_picture_bytes,
    stretched,
)
from fashioncnn.photos.outline import Mask, UInt8
from fashioncnn.runs.files import write_bytes
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code

STANDARD_INPUT = "-"
MAX_PICTURES = 100_000
# Below this probability the answer to a photograph is "not sure". Nine of ten garments that the
# conversion was chosen on have more, with networks of `photo` (docs/how-to/photographs.md).
NOT_SURE_BELOW = 0.36
# With these warnings it is, whatever the network says.
UNSURE_WARNINGS = (NOTHING_FOUND, SEVERAL_PIECES)
# For the sheet: neighbours are looked for among so many training pictures.
NEIGHBOURS, LOOKED_AT = 3, 10_000
# A sheet of more rows could not be looked at.
MOST_SHOWN = 100


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture.

    `answer` is the most likely class, None where the network is not sure; `probabilities` has the
    likeliest classes, the likeliest first. `warnings` say what seems wrong with the picture;
    `fault` why it could not be read at all.
    """

    picture: str
    answer: str | None = None
    probabilities: tuple[tuple[str, float], ...] = ()
    energy: float | None = None
    warnings: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True)
class _Prepared:
    """Pictures (k, h, w, c) of one file as the data set's own are; the answer is their mean's."""

    images_NHWC: UInt8
    warnings: tuple[str, ...] = ()
    photo_HWC: UInt8 | None = None
    outline: Mask | None = None


@user_code()
def predict(
    pictures: Sequence[Path | str],
    run: AnyRun | Trained | None = None,
    *,
    top: int = 3,
    not_sure_below: float | None = None,
    show: Path | str | None = None,
    device: DeviceName = "auto",
) -> list[Prediction]:
    """Say what `run`'s network, or the one that comes along, makes of picture files.

    `pictures` are files, folders, patterns such as "*.jpg", or "-" for standard input. For networks
    of Fashion-MNIST, photographs are converted to pictures as the data set's own are (see
    `photos.convert`), and the answer is the mean of log-probabilities over four renderings; grey
    pictures of 28 x 28 pixels are taken as they are. For other networks pictures are resized, as
    their data set's were. The answer is None below the probability `not_sure_below`, 0.36 for
    photographs and 0 for others unless it is given, and where no garment or several pieces are
    found. `show` names a PNG file for a sheet of what was done, with the first 100 pictures.
    Files that cannot be read have a `fault`. Raises DataError where there are no pictures.
    """
    if not_sure_below is not None and not 0 <= not_sure_below <= 1:
        raise DataError(f"not_sure_below is {not_sure_below}; it must be 0 to 1")
    names = _files(pictures)
    if isinstance(run, Trained):
        trained = run
    else:
        trained = open_trained(run or own_weights(), "best", device=device)
    shape = trained.shape
    photographs = trained.run.trained_on.name == FASHION_MNIST
    if not_sure_below is None:
        not_sure_below = NOT_SURE_BELOW if photographs else 0.0
    steps = set(names[:MOST_SHOWN]) if show is not None else set()
    prepare = partial(_prepare, shape=shape, photographs=photographs)
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda name: prepare(name, keep_steps=name in steps), names)
        done = with_progress(found, len(names), "reading pictures")
        prepared = dict(zip(names, done, strict=True))
    whole = {name: one for name, one in prepared.items() if isinstance(one, _Prepared)}
    answers = _answers(trained, list(whole.values())) if whole else []
    of_whole = {
        name: _prediction(name, one, answer, trained.class_names, top, not_sure_below)
        for (name, one), answer in zip(whole.items(), answers, strict=True)
    }
    if shown := {name: one for name, one in whole.items() if name in steps}:
        assert show is not None
        _show(trained, shown, of_whole, Path(show))
    return [of_whole.get(name) or Prediction(name, fault=str(prepared[name])) for name in names]


def _files(pictures: Sequence[Path | str]) -> list[str]:
    """Return the files that `pictures` name, each once. Raises DataError where there are none."""
    names: list[str] = []
    for given in map(str, pictures):
        path = Path(given)
        if given != STANDARD_INPUT and path.is_dir():
            names += map(str, picture_files(path, MAX_PICTURES))
        elif given != STANDARD_INPUT and not path.exists() and glob.has_magic(given):
            names += sorted(glob.glob(given, recursive=True))  # noqa: PTH207 as it was typed
        else:
            names.append(given)
    if not names:
        raise DataError(f"no picture: {', '.join(map(str, pictures)) or 'none was named'}")
    if len(names) > MAX_PICTURES:
        raise DataError(f"{len(names):,} pictures; at most {MAX_PICTURES:,} at once")
    return list(dict.fromkeys(names))


def _prepare(name: str, shape: Shape, photographs: bool, *, keep_steps: bool) -> _Prepared | str:
    """Make pictures of a file as the network's data set has them, or say why that cannot be.

    Photograph and outline are kept where `keep_steps`: they are thirty times as large.
    """
    side = 2 * (WORKING_SIDE if photographs else max(shape.height, shape.width))
    try:
        if name == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
            if len(content) > MAX_FILE_BYTES:
                return f"standard input: larger than {MAX_FILE_BYTES:,} bytes"
            picture = read_picture_bytes(content, "standard input", side)
        else:
            picture = read_picture(Path(name), side)
    except (DataError, StorageError) as error:
        return str(error)
    as_it_is = picture.mode == "L" and picture.size == (shape.width, shape.height)
    if photographs and not as_it_is:
        found = convert(picture)
        steps = (found.photo_HWC, found.outline) if keep_steps else (None, None)
        return _Prepared(found.images_NHWC, found.warnings, *steps)
    return _Prepared(_resized(picture, shape))


def _resized(picture: Image.Image, shape: Shape) -> UInt8:
    mode = "L" if shape.channels == 1 else "RGB"
    pixels = np.array(stretched(picture, shape.height, shape.width).convert(mode), np.uint8)
    return pixels.reshape(1, shape.height, shape.width, shape.channels)


def _answers(
    trained: Trained, prepared: Sequence[_Prepared]
) -> list[tuple[NDArray[np.float64], float]]:
    """Return probabilities (classes,) and the energy of each, by the mean over its pictures."""
    counts = [len(one.images_NHWC) for one in prepared]
    images = np.concatenate([one.images_NHWC for one in prepared])
    none = np.zeros(len(images), np.int64)
    predictions = trained.predictions(LabelledImages(images, none, trained.class_names))
    ends = np.cumsum(counts)[:-1]
    logs = np.split(predictions.log_probabilities, ends)
    energies = np.split(signs(predictions)["energy"], ends)
    found = []
    for log_probabilities, energy in zip(logs, energies, strict=True):
        mean = np.exp(log_probabilities.mean(0) - log_probabilities.mean(0).max())
        found.append((mean / mean.sum(), float(energy.mean())))
    return found


def _prediction(
    name: str,
    prepared: _Prepared,
    answer: tuple[NDArray[np.float64], float],
    class_names: tuple[str, ...],
    top: int,
    not_sure_below: float,
) -> Prediction:
    probabilities, energy = answer
    order = np.argsort(-probabilities, kind="stable")[:top]
    best = order[0]
    unsure = probabilities[best] < not_sure_below or any(
        words in UNSURE_WARNINGS for words in prepared.warnings
    )
    return Prediction(
        name,
        None if unsure else class_names[best],
        tuple((class_names[index], float(probabilities[index])) for index in order),
        energy,
        prepared.warnings,
    )


def _show(
    trained: Trained,
    prepared: dict[str, _Prepared],
    predictions: dict[str, Prediction],
    file: Path,
) -> None:
    """Draw what was done, and what the answer rests on, as PNG."""
    # Here, as they take half a second to import.
    from fashioncnn.explanation.attribution import integrated_gradients
    from fashioncnn.models.parts import keep_inputs
    from fashioncnn.reporting.figures.predicted import Shown, sheet

    names = trained.class_names
    images = trained.prepared(np.stack([one.images_NHWC[0] for one in prepared.values()]))
    answers = torch.tensor([names.index(one.probabilities[0][0]) for one in predictions.values()])
    network = trained.network
    keep_inputs(network)
    maps = integrated_gradients(network, images, answers, trained.preparation.of_grey(0.0))
    nearest = _nearest(trained, images)
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
    write_bytes(file, png.getvalue())


def _nearest(trained: Trained, images_NCHW: torch.Tensor) -> list[tuple[UInt8, tuple[str, ...]]]:
    """Return the training pictures whose features are most alike, and their classes.

    None where the pictures that the network was trained on are not on this machine.
    """
    from fashioncnn.explanation.embedding import features

    try:
        train = trained.data.train.take(np.arange(min(LOOKED_AT, len(trained.data.train))))
    except DataError:
        return [(np.zeros((0, *images_NCHW.shape[2:], 1), np.uint8), ())] * len(images_NCHW)
    known = features(trained.network, trained.prepared(train.images_NHWC))
    own = features(trained.network, images_NCHW)
    known = known / np.linalg.norm(known, axis=1, keepdims=True)
    order = np.argsort(-(own @ known.T), axis=1, kind="stable")[:, :NEIGHBOURS]
    return [
        (train.images_NHWC[row], tuple(train.class_names[label] for label in train.labels[row]))
        for row in order
    ]
