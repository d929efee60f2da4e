"""What a bundle says of itself: config.json, and the metadata of its ONNX file."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from fashioncnn.data.images import CHANNELS, LARGEST_SIDE, SMALLEST_SIDE, Shape
from fashioncnn.data.sources.base import MAX_CLASSES
from fashioncnn.evaluation.sureness import Sureness
from fashioncnn.settings import Count, NotNegative, Probability, Settings


def _printable(text: str) -> str:
    """Refuse what a terminal would obey."""
    if not text.isprintable():
        raise ValueError("it must be printable")
    return text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MAX_WORDS = 200
Words = Annotated[str, Field(max_length=MAX_WORDS)]
Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Channels = Annotated[int, Field(ge=1, le=3)]
Printable = Annotated[str, Field(min_length=1, max_length=MAX_WORDS), AfterValidator(_printable)]
Names = Annotated[tuple[Printable, ...], Strict(False)]
Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]


class Range(Settings):
    """A figure with its interval, of level 95 %."""

    value: float
    low: float
    high: float


class TrainedOn(Settings):
    """The pictures that the network was trained on."""

    name: Words
    train_images: Annotated[int, Field(ge=0)]
    train_sha256: Sha256 | None
    seed: Annotated[int, Field(ge=0)]


class Threshold(Settings):
    """Answering when at least `confidence` sure: chosen on validation, measured on test."""

    tolerated_error: Probability
    confidence: Probability
    coverage: Probability
    risk: Probability


class TestFigures(Settings):
    """What the network scored on `images` test pictures."""

    images: Count
    accuracy: Range
    f1_macro: Range
    f1_weighted: Range


class Parity(Settings):
    """How far the ONNX file lies from PyTorch: in probabilities, on `images` pictures."""

    images: Count
    largest_difference: NotNegative
    changed_answers: Annotated[int, Field(ge=0)]


class Quantised(Settings):
    """What eight bits changed, on the test pictures; `calibration` says which ones set the scales.

    `accuracy_points` is the accuracy less that in fp32, in points.
    """

    calibration: Words
    accuracy: Probability
    fp32_accuracy: Probability
    accuracy_points: float
    changed_answers: Annotated[int, Field(ge=0)]
    bytes: Count
    fp32_bytes: Count


class FileFacts(Settings):
    """A file beside config.json."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0, lt=2**40)]


class Facts(Settings):
    """Everything that is known of a network that was shipped.

    Pictures are uint8 (n, height, width, channels). Probabilities are the softmax of the logits
    over `temperature`; below `not_sure_below`, or an energy of `not_sure_energy`, the answer is
    "not sure". `energy_of_known` is what 95 % of the validation pictures exceed. `maps` are the
    outputs with feature maps.
    """

    format: Literal["fashioncnn-bundle"] = "fashioncnn-bundle"
    form: Literal[1] = 1
    """Counts up when what a bundle holds changes."""
    name: Name
    recipe: Words
    class_names: Annotated[Names, Field(min_length=2, max_length=MAX_CLASSES)]
    channels: Channels
    height: Side
    width: Side
    photographs: bool
    temperature: Temperature
    not_sure_below: Probability
    not_sure_energy: float | None = None
    thresholds: Annotated[tuple[Threshold, ...], Strict(False), Field(max_length=10)]
    energy_of_known: float | None
    precision: Literal["fp32", "int8"]
    opset: Annotated[int, Field(ge=1, le=99)]
    parameters: Count
    features: Count
    maps: Annotated[Names, Field(max_length=1000)]
    trained_on: TrainedOn
    license: Words
    weights_sha256: Sha256
    versions: dict[Words, Words]
    test: TestFigures
    parity: Parity
    quantised: Quantised | None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Facts:
        if self.channels not in CHANNELS:
            raise ValueError(f"{self.channels} channels; 1 or 3 are known")
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError("two classes have the same name")
        if (self.precision == "int8") != (self.quantised is not None):
            raise ValueError("precision and quantised contradict each other")
        return self

    @property
    def shape(self) -> Shape:
        """What a picture measures."""
        return Shape(self.channels, self.height, self.width)

    @property
    def sureness(self) -> Sureness:
        """What an answer needs."""
        energy = -math.inf if self.not_sure_energy is None else self.not_sure_energy
        return Sureness(self.not_sure_below, energy)


class Config(Settings):
    """What config.json holds: the facts, and the digest of every file beside it."""

    facts: Facts
    files: Annotated[dict[Words, FileFacts], Field(max_length=16)]
