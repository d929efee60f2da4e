"""What a recipe may say: tables, keys, types, bounds and defaults. Data, never code.

Where things are registered (families, augmentations, optimisers, schedules), their own files say
what their keys are; the recipe's tables follow from the registries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, Strict, create_model, model_validator

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.images import LARGEST_SIDE, SMALLEST_SIDE
from fashioncnn.models import FAMILIES
from fashioncnn.models.family import ModelSettings
from fashioncnn.registry import Choices, MadeBy, OneOf, Registry
from fashioncnn.settings import Count, NotNegative, Positive, Probability, Settings
from fashioncnn.training.losses import LOSSES
from fashioncnn.training.losses.base import LossSettings
from fashioncnn.training.losses.cross_entropy import CrossEntropySettings
from fashioncnn.training.optimizers import OPTIMIZERS
from fashioncnn.training.optimizers.adam import AdamSettings
from fashioncnn.training.optimizers.base import OptimizerSettings
from fashioncnn.training.schedules import SCHEDULES
from fashioncnn.training.schedules.base import ScheduleSettings
from fashioncnn.training.schedules.constant import ConstantSettings
from fashioncnn.usercode.part import Address, OwnPart
from fashioncnn.usercode.source import FILE_NAME

# The tables that choose one of several, and by which registry.
CHOICES: dict[str, Choices[Any]] = {
    "model": FAMILIES,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


Share = Annotated[float, Field(gt=0, lt=1)]
Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE), Strict()]
# One number for all channels, or one for each of three.
Mean = float | Annotated[tuple[float, float, float], Strict(False)] | Literal["data"]
FileName = Annotated[str, Field(pattern=f"^{FILE_NAME.pattern}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Std = Positive | Annotated[tuple[Positive, Positive, Positive], Strict(False)] | Literal["data"]


class DataSettings(Settings):
    """How pictures are split and prepared."""

    image_size: Side | Annotated[tuple[Side, Side], Strict(False)] | Literal["data"] = 28
    """Pixels a side that the network sees, or [height, width], or "data": as the pictures are.
    Others are resized bilinearly."""
    pixel_mean: Mean = 0.0
    """Subtracted from pixels on the scale 0 to 1: one number, or one a channel, or "data": the mean
    of the training pictures."""
    pixel_std: Std = 1.0
    """What they are divided by afterwards; "data": the standard deviation of the training
    pictures."""
    validation_images: Annotated[int, Field(ge=0)] = 5000
    """How many of the training pictures are set aside, of every class in proportion; of another
    data set than Fashion-MNIST a twelfth, where that is more than half. With 0, all are trained on,
    and the last epoch's weights are taken. A data set that brings validation pictures keeps its
    own."""
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 20170825
    """Which ones. Two recipes with the same seed and number can be compared on validation."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that the network sees. Raises ValueError while that is "data"."""
        if isinstance(self.image_size, str):
            raise ValueError("data.image_size is 'data': it is known when the pictures are")
        return (self.image_size,) * 2 if isinstance(self.image_size, int) else self.image_size


class AugmentationSettings(Settings):
    """Random transformations of training pictures: a key for each that is registered."""

    alternating_flip: bool = False
    """With probability 0.5, flip every picture in every other epoch instead of at random."""
    by_class: dict[str, Any] = Field(default_factory=dict)
    """Other strengths for the classes named."""
    own: dict[Address, NotNegative] = Field(default_factory=dict)
    """Strength by your own augmentation, as "mine.py:blur"; they work after the others."""

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...

    def strengths(self) -> dict[str, float]:
        """Return the strength of each augmentation by its key."""
        return {**self.model_dump(exclude={"alternating_flip", "by_class", "own"}), **self.own}

    def strengths_by_class(self) -> dict[str, dict[str, float]]:
        """Return what differs for some classes, by class name and key."""
        return {name: one.model_dump(exclude_none=True) for name, one in self.by_class.items()}


def augmentation_settings() -> type[AugmentationSettings]:
    """Make the table `augmentation` of what is registered now."""
    fields: dict[str, Any] = {
        key: (augmentation.strength, get_args(augmentation.strength)[0](0))
        for key, augmentation in AUGMENTATIONS.items()
    }
    optional: dict[str, Any] = {
        key: (augmentation.strength | None, None) for key, augmentation in AUGMENTATIONS.items()
    }
    of_class = create_model(
        "ClassAugmentation",
        __base__=Settings,
        __doc__="Strengths for one class; what is not given is as for the other classes.",
        **optional,
    )
    by_class: Any = Field(
        default_factory=dict, description="Other strengths for the classes named, by class name."
    )
    return create_model(
        "Augmentation",
        __base__=AugmentationSettings,
        **fields,
        by_class=(dict[str, of_class], by_class),  # type: ignore[valid-type]
    )


class SelectionSettings(Settings):
    """Spending the later epochs on the pictures that are still hard."""

    full_epochs: Count
    """Epochs over all pictures, to begin with."""
    kept_share: Annotated[float, Field(gt=0, le=1)]
    """Of the pictures, in every epoch after: those whose latest known loss is largest."""


class ProgressiveResizingSettings(Settings):
    """Small pictures first."""

    image_scales: Annotated[tuple[Share, ...], Strict(False), Field(min_length=1, max_length=10)]
    """Of `data.image_size`: the first epochs' share of it, the next epochs', and so on."""
    epoch_shares: Annotated[tuple[Share, ...], Strict(False), Field(min_length=1, max_length=10)]
    """Of `training.epochs`: how long each of them lasts; the rest see the whole size."""

    @model_validator(mode="after")
    def _leaves_some_for_the_whole(self) -> ProgressiveResizingSettings:
        if len(self.image_scales) != len(self.epoch_shares):
            raise ValueError(
                f"progressive_resizing.image_scales has {len(self.image_scales)} entries and "
                f"progressive_resizing.epoch_shares {len(self.epoch_shares)}; both need one a size"
            )
        if round(sum(self.epoch_shares), 6) >= 1:
            raise ValueError(
                f"progressive_resizing.epoch_shares add up to {sum(self.epoch_shares):g}; "
                "they must leave some epochs for the whole size"
            )
        return self

    def image_sizes(self, whole: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return (height, width) of each scale, `whole` being those at the end."""
        height, width = whole
        return tuple(
            (max(1, round(height * scale)), max(1, round(width * scale)))
            for scale in self.image_scales
        )


class FreezingSettings(Settings):
    """Letting the first stages of the network rest when they have learned."""

    after_share: Share
    """The share of `training.epochs` after which they learn no more; they learn in one at least."""
    stages: Annotated[int, Field(ge=1)] = 1
    """How many stages rest, from the first."""


class AveragingSettings(Settings):
    """Exponential moving average of the weights."""

    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """0 is off; with 0.999 the average spans about the last 1,000 steps."""


class TrainingSettings(Settings):
    """How long, in what portions, in what arithmetic."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Passes; one over the selected pictures is a pass, too."""
    batch_size: Annotated[int, Field(ge=1, le=60_000)] = 64
    """Pictures a step."""
    shuffle: bool = True
    """A new random order every epoch; else pictures come as they lie in the data."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """auto: bf16 where the device has instructions for it, else fp32."""


class Promise(Settings):
    """What the recipe reaches: written by `benchmarks/publish.py` from measured results."""

    test_accuracy_percent: float
    std_percent: float
    n: Count
    seconds: Positive
    hardware: str
    command: str


class ReportedClass(Settings):
    """Figures of one class, as a published report gives them."""

    precision: Probability | None = None
    recall: Probability | None = None
    f1: Probability | None = None


class Reported(Settings):
    """Figures of the published system that the recipe re-creates."""

    accuracy: Probability
    f1_weighted: Probability | None = None
    train_loss: NotNegative | None = None
    val_loss: NotNegative | None = None
    classes: dict[str, ReportedClass] = Field(default_factory=dict)


class Recipe(Settings):
    """A whole recipe."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """Lower-case letters, digits and hyphens; runs lie in a folder of this name."""
    summary: Annotated[str, Field(max_length=200)] = ""
    """What it is, in a line."""
    data: DataSettings = DataSettings()
    augmentation: Annotated[AugmentationSettings, MadeBy(augmentation_settings)] = Field(
        default_factory=dict, validate_default=True
    )
    model: Annotated[ModelSettings, OneOf(FAMILIES)]
    loss: Annotated[LossSettings, OneOf(LOSSES)] = CrossEntropySettings()
    optimizer: Annotated[OptimizerSettings, OneOf(OPTIMIZERS)] = AdamSettings()
    schedule: Annotated[ScheduleSettings, OneOf(SCHEDULES)] = ConstantSettings()
    averaging: AveragingSettings = AveragingSettings()
    selection: SelectionSettings | None = None
    progressive_resizing: ProgressiveResizingSettings | None = None
    freezing: FreezingSettings | None = None
    training: TrainingSettings = TrainingSettings()
    code: dict[FileName, Sha256] = Field(default_factory=dict)
    """The SHA-256 of each file of your own that the recipe names; written when it is read."""
    reported: Reported | None = None
    promise: Promise | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if self.data.image_size != "data" and (wrong := self.model.fault(self.data.size)):
            raise ValueError(wrong)
        if self.schedule.warmup_epochs >= self.training.epochs:
            raise ValueError(
                f"schedule.warmup_epochs is {self.schedule.warmup_epochs:g}; "
                f"it must be below training.epochs ({self.training.epochs})"
            )
        self._check_resizing()
        self._check_freezing()
        for part in self.own_parts():
            part.with_code(self.code)
        return self

    def _check_freezing(self) -> None:
        most = self.model.freezable_stages
        if self.freezing and not most:
            raise ValueError(
                f"freezing: a network of the family {self.model.family} has no stages that can "
                "rest, or the last alone, which has to learn"
            )
        if self.freezing and self.freezing.stages > most:
            stages = self.freezing.stages
            raise ValueError(
                f"freezing.stages is {stages}; of this network at most {most} can rest"
            )

    def _check_resizing(self) -> None:
        resizing = self.progressive_resizing
        if not resizing:
            return
        if not self.model.any_image_size:
            raise ValueError(
                f"progressive_resizing: networks of the family {self.model.family} take pictures "
                "of one size"
            )
        if self.data.image_size == "data":
            return
        for scale, size in zip(
            resizing.image_scales, resizing.image_sizes(self.data.size), strict=True
        ):
            if wrong := self.model.fault(size):
                raise ValueError(f"progressive_resizing.image_scales has {scale:g}: {wrong}")

    @property
    def addresses(self) -> list[str]:
        """What it calls in files of the user's own, each as "file.py:Name"."""
        return [*(part.address for part in self.own_parts()), *self.augmentation.own]

    def own_parts(self) -> list[OwnPart]:
        """List the parts that files of the user's own build; augmentations are not among them."""
        chosen = (self.model, self.loss, self.optimizer, self.schedule)
        return [part for part in chosen if isinstance(part, OwnPart)]

    def settings(self) -> dict[str, Any]:
        """Return what decides the trained weights: all but the name, the words and the figures."""
        return self.model_dump(
            mode="json",
            exclude={"name", "summary", "reported", "promise"},
            exclude_none=True,
        )


_REGISTRIES: tuple[Registry[Any], ...] = (AUGMENTATIONS, *CHOICES.values())
_made_of = [registry.version for registry in _REGISTRIES]


def recipe_type() -> type[Recipe]:
    """Return Recipe, its tables made anew where something was registered meanwhile."""
    present = [registry.version for registry in _REGISTRIES]
    if present != _made_of:
        _made_of[:] = present
        Recipe.model_rebuild(force=True)
    return Recipe
