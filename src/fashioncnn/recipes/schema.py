"""What a recipe may say: tables, keys, types, bounds and defaults. Data, never code."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Strict, Tag, model_validator

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Members = Annotated[int, Field(ge=1, le=100)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=4096), Strict()], ...], Strict(False)]


class Table(BaseModel):
    """A table of a recipe: strict types, no unknown keys, no change after reading."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )


class DataTable(Table):
    """How pictures are split and prepared."""

    image_size: Annotated[int, Field(ge=8, le=224)] = 28
    """Pixels a side that the network sees; pictures are resized bilinearly."""
    pixel_mean: float = 0.0
    """Subtracted from pixels on the scale 0 to 1."""
    pixel_std: Positive = 1.0
    """What they are divided by afterwards."""
    validation_images: Annotated[int, Field(ge=0)] = 5000
    """Set aside from the 60,000 training pictures, equally many of every class. With 0, all are
    trained on, and the last epoch's weights are taken."""
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 20170825
    """Which ones. Two recipes with the same seed and number can be compared on validation."""


class ClassAugmentation(Table):
    """Strengths for one class; what is not given is as for the other classes."""

    horizontal_flip_probability: Probability | None = None
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] | None = None
    translation_pixels: Annotated[float, Field(ge=0, le=28)] | None = None
    shift_pixels: Annotated[int, Field(ge=0, le=28)] | None = None
    erasing_probability: Probability | None = None


class AugmentationTable(Table):
    """Random transformations of training pictures."""

    horizontal_flip_probability: Probability = 0.0
    alternating_flip: bool = False
    """With probability 0.5, flip every picture in every other epoch instead of at random."""
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Angles are uniform between minus this and this."""
    translation_pixels: Annotated[float, Field(ge=0, le=28)] = 0.0
    """Shifts along each axis are uniform between minus this and this, in source pixels."""
    shift_pixels: Annotated[int, Field(ge=0, le=28)] = 0
    """Shifts along each axis are whole numbers between minus this and this."""
    erasing_probability: Probability = 0.0
    """Of losing one rectangle."""
    by_class: dict[str, ClassAugmentation] = Field(default_factory=dict)
    """Other strengths for the classes named."""


class PlainCNNTable(Table):
    """The network; keys as in fashioncnn.models.plain_cnn."""

    family: Literal["plain-cnn"] = "plain-cnn"
    channels: Annotated[Counts, Field(min_length=1, max_length=6)]
    """Output channels of each convolution block; a further number is a further block."""
    kernel_size: Literal[1, 3, 5, 7] = 3
    batch_norm: bool = False
    """After every convolution."""
    hidden_features: Annotated[Counts, Field(max_length=4)]
    """Width of each hidden dense layer."""
    hidden_activation: Literal["relu", "sigmoid"] = "relu"
    hidden_batch_norm: bool = False
    """After every hidden dense layer, before its activation."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """After every hidden dense layer."""
    initialisation: Literal["pytorch", "xavier", "he"] = "pytorch"
    members: Members = 1
    """Networks that learn side by side, each by its own loss, and answer with the mean of their
    probabilities; costs as many times as much."""

    @property
    def halvings(self) -> int:
        """How often the picture is halved."""
        return len(self.channels)


class StridedCNNTable(Table):
    """The network; keys as in fashioncnn.models.strided_cnn."""

    family: Literal["strided-cnn"] = "strided-cnn"
    channels: Annotated[Counts, Field(min_length=1, max_length=6)]
    """Width of each stage; a stage works on half as many pixels a side as what comes before it,
    the first one too unless `stem_stride` is 1."""
    blocks: Annotated[tuple[Annotated[int, Field(ge=0, le=100), Strict()], ...], Strict(False)]
    """Convolutions of each stage after the one that opens it."""
    stem_kernel_size: Annotated[int, Field(ge=2, le=7)] = 3
    """Of the first convolution."""
    stem_stride: Literal[1, 2] = 2
    """Of the first convolution: with 1, the first stage works on every pixel."""
    residual: bool = False
    """Add each block's input to its answer."""
    pooling: Literal["max", "average"] = "max"
    """From the last feature maps to one number a channel."""
    logit_scale: Positive = 1.0
    """Multiplies the class scores."""
    members: Members = 1
    """As of plain-cnn."""

    @property
    def halvings(self) -> int:
        """How often the picture is halved."""
        return len(self.channels) - (self.stem_stride == 1)

    @model_validator(mode="after")
    def _fits_together(self) -> StridedCNNTable:
        if len(self.blocks) != len(self.channels):
            raise ValueError(
                f"model.blocks has {len(self.blocks)} entries and model.channels "
                f"{len(self.channels)}; both need one a stage"
            )
        return self


def _family(table: object) -> object:
    if isinstance(table, dict):
        return table.get("family", "plain-cnn")
    return getattr(table, "family", "plain-cnn")


FAMILIES = ("plain-cnn", "strided-cnn")
ModelTable = Annotated[
    Annotated[PlainCNNTable, Tag("plain-cnn")] | Annotated[StridedCNNTable, Tag("strided-cnn")],
    Discriminator(_family),
]


class LossTable(Table):
    """Cross-entropy, and what bends it."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: dict[str, Positive] = Field(default_factory=dict)
    """Weight by class name; 1 for classes not named."""


class OptimizerTable(Table):
    """How weights follow gradients."""

    name: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    learning_rate: Positive = 0.001
    """The peak that the schedule scales."""
    weight_decay: NotNegative = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Nesterov's; for sgd and muon."""
    sgd_learning_rate: Positive = 1.0
    """For muon only: the peak for what it leaves to SGD: first and last layer, biases, norms."""


class ScheduleTable(Table):
    """The learning rate over time."""

    name: Literal["constant", "cosine", "one-cycle"] = "constant"
    warmup_epochs: NotNegative = 0.0
    """A straight climb to the peak at the beginning."""
    initial_factor: Probability = 0.0
    """Where the climb begins, as a share of the peak."""
    final_factor: Probability = 0.0
    """Where cosine and one-cycle end, as a share of the peak."""


class SelectionTable(Table):
    """Spending the later epochs on the pictures that are still hard."""

    full_epochs: Count
    """Epochs over all pictures, to begin with."""
    kept_share: Annotated[float, Field(gt=0, le=1)]
    """Of the pictures, in every epoch after: those whose latest known loss is largest."""


class AveragingTable(Table):
    """Exponential moving average of the weights."""

    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """0 is off; with 0.999 the average spans about the last 1,000 steps."""


class TrainingTable(Table):
    """How long, in what portions, in what arithmetic."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 10
    batch_size: Annotated[int, Field(ge=1, le=60_000)] = 64
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """auto: bf16 where the device has instructions for it, else fp32."""


class Promise(Table):
    """What the recipe reaches: written by `benchmarks/publish.py` from measured results."""

    test_accuracy_percent: float
    std_percent: float
    n: Count
    seconds: Positive
    hardware: str
    command: str


class ReportedClass(Table):
    """Figures of one class, as a published report gives them."""

    precision: Probability | None = None
    recall: Probability | None = None
    f1: Probability | None = None


class Reported(Table):
    """Figures of the published system that the recipe re-creates."""

    accuracy: Probability
    f1_weighted: Probability | None = None
    train_loss: NotNegative | None = None
    val_loss: NotNegative | None = None
    classes: dict[str, ReportedClass] = Field(default_factory=dict)


class Recipe(Table):
    """A whole recipe."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Lower-case letters, digits and hyphens; runs lie in a folder of this name."""
    summary: Annotated[str, Field(max_length=200)] = ""
    data: DataTable = DataTable()
    augmentation: AugmentationTable = AugmentationTable()
    model: ModelTable
    loss: LossTable = LossTable()
    optimizer: OptimizerTable = OptimizerTable()
    schedule: ScheduleTable = ScheduleTable()
    averaging: AveragingTable = AveragingTable()
    selection: SelectionTable | None = None
    training: TrainingTable = TrainingTable()
    reported: Reported | None = None
    promise: Promise | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        size, stages = self.data.image_size, len(self.model.channels)
        spared = stages - self.model.halvings
        if size >> self.model.halvings == 0:
            raise ValueError(
                f"model.channels has {stages} entries, each {'but the first ' if spared else ''}"
                f"halving the picture: data.image_size {size} allows at most "
                f"{size.bit_length() - 1 + spared}"
            )
        if self.schedule.warmup_epochs >= self.training.epochs:
            raise ValueError(
                f"schedule.warmup_epochs is {self.schedule.warmup_epochs:g}; "
                f"it must be below training.epochs ({self.training.epochs})"
            )
        return self

    def settings(self) -> dict[str, Any]:
        """Return what decides the trained weights: all but the name, the words and the figures."""
        return self.model_dump(
            mode="json",
            exclude={"name", "summary", "reported", "promise"},
            exclude_none=True,
        )
