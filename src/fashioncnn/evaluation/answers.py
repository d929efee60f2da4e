"""What a trained network, a run's or a bundle's, says of pictures without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages, Shape, with_channels
from fashioncnn.errors import DataError
from fashioncnn.evaluation.out_of_distribution import signs
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.sureness import Sureness, joint
from fashioncnn.photos.pictures import Prepared

# Of a photograph that no answer is given to, and nothing seemed wrong with.
UNLIKE = (
    "like nothing it knows: photograph one thing, whole, on a plain ground; of shoes, one from its "
    "side"
)
K = TypeVar("K")


class Model(Protocol):
    """A trained network that can be asked."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it knows."""

    @property
    def shape(self) -> Shape:
        """Channels, height and width of the pictures that it takes."""

    @property
    def photographs(self) -> bool:
        """Whether photographs are to be converted to what it knows."""

    @property
    def temperature(self) -> float:
        """What logits are divided by before they become probabilities."""

    @property
    def sureness(self) -> Sureness:
        """What an answer needs; below, it is "not sure"."""

    def predictions(self, pictures: LabelledImages) -> Predictions:
        """Return the logits for `pictures`."""

    def features(self, images_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the last layer is given, (n, features)."""

    def attribution(
        self, images_NHWC: NDArray[np.uint8], answers_N: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Return how much each pixel spoke for the answer, (n, h, w)."""

    def training_pictures(self, at_most: int) -> LabelledImages:
        """Return the first of the pictures that it was trained on. DataError without them."""


@dataclass(frozen=True)
class Answers:
    """What a network says of pictures: `probabilities` float64 (n, classes)."""

    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...]

    @property
    def classes(self) -> list[str]:
        """The most likely class of each picture, by name."""
        return [self.class_names[index] for index in self.probabilities.argmax(axis=1)]


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


def without_labels(
    images: NDArray[np.uint8], shape: Shape, class_names: tuple[str, ...]
) -> LabelledImages:
    """Return pictures (n, h, w) or (n, h, w, c) for a network that knows `shape`.

    Raises DataError when they are something else.
    """
    images_NHWC = with_channels(np.asarray(images))
    if not images_NHWC.size or images_NHWC.shape[3:] != (shape.channels,):
        raise DataError(
            f"pictures must be uint8 (n, height, width, {shape.channels}), "
            f"got {images_NHWC.dtype} {np.shape(images)}"
        )
    return LabelledImages(images_NHWC, np.zeros(len(images_NHWC), np.int64), class_names)


def answers(model: Model, images: NDArray[np.uint8]) -> Answers:
    """Return what `model` says of pictures, uint8 (n, h, w) or (n, h, w, channels).

    They are as those of the data set: of Fashion-MNIST light on dark. Raises DataError when
    they are something else.
    """
    pictures = without_labels(images, model.shape, model.class_names)
    if pictures.shape != model.shape:
        raise DataError(f"the network takes pictures {model.shape}, not {pictures.shape}")
    logits = model.predictions(pictures).at_temperature(model.temperature)
    return Answers(np.exp(logits.log_probabilities), model.class_names)


def predict_prepared(
    model: Model,
    prepared: Mapping[K, Prepared],
    top: int = 3,
    not_sure_below: float | None = None,
) -> dict[K, Prediction]:
    """Return what `model` says of files, by their names; see `tell_prepared`."""
    if not prepared:
        return {}
    images = np.concatenate([one.images_NHWC for one in prepared.values()])
    predictions = model.predictions(without_labels(images, model.shape, model.class_names))
    return tell_prepared(model, prepared, predictions, top, not_sure_below)


def tell_prepared(
    model: Model,
    prepared: Mapping[K, Prepared],
    predictions: Predictions,
    top: int = 3,
    not_sure_below: float | None = None,
) -> dict[K, Prediction]:
    """Return what `predictions`, of the pictures of all files in turn, say of each file.

    The answer to a file, and its energy, are those of the mean logits of its pictures. The answer
    is None where they lack the model's `sureness`, or the probability `not_sure_below` where that
    is given, and where the file is doubtful.
    """
    counts = np.array([len(one.images_NHWC) for one in prepared.values()])
    together = joint(predictions, counts)
    shares = np.exp(together.at_temperature(model.temperature).log_probabilities)
    energies = signs(together)["energy"]
    orders = np.argsort(-shares, axis=1, kind="stable")[:, :top]
    likeliest = np.take_along_axis(shares, orders, axis=1).tolist()
    least = model.sureness if not_sure_below is None else Sureness(not_sure_below)
    names = model.class_names
    told = {}
    for (name, one), order, values, energy in zip(
        prepared.items(), orders.tolist(), likeliest, energies.tolist(), strict=True
    ):
        known = values[0] >= least.probability and energy >= least.energy
        unlike = model.photographs and not_sure_below is None and not known and not one.warnings
        told[name] = Prediction(
            str(name),
            names[order[0]] if known and not one.doubtful else None,
            tuple(zip([names[at] for at in order], values, strict=True)),
            energy,
            (UNLIKE,) if unlike else one.warnings,
        )
    return told


def most_alike(
    model: Model, images_NHWC: NDArray[np.uint8], count: int, among: int
) -> list[tuple[NDArray[np.uint8], tuple[str, ...]]]:
    """Return the `count` training pictures whose features are most alike, and their classes.

    They are sought `among` the first training pictures; there are none where those are not on this
    machine.
    """
    try:
        train = model.training_pictures(among)
    except DataError:
        return [(np.zeros((0, *images_NHWC.shape[1:]), np.uint8), ())] * len(images_NHWC)
    known, own = model.features(train.images_NHWC), model.features(images_NHWC)
    known = known / np.linalg.norm(known, axis=1, keepdims=True)
    nearest = np.argsort(-(own @ known.T), axis=1, kind="stable")
    return [
        (train.images_NHWC[row], tuple(train.class_names[label] for label in train.labels[row]))
        for row in (rows[:count] for rows in nearest)
    ]
