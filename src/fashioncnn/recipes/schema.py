"""What a recipe may say: tables, keys, types, bounds and defaults. Data, never code.

Where things are registered (families, augmentations, optimisers, schedules), their own files say
what their keys are; the recipe's tables follow from the registries.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.models import FAMILIES
from fashioncnn.models.family import ModelSettings
from fashioncnn.recipes.tables.augmentation import AugmentationSettings, augmentation_settings
from fashioncnn.recipes.tables.averaging import AveragingSettings
from fashioncnn.recipes.tables.data import DataSettings
from fashioncnn.recipes.tables.freezing import FreezingSettings
from fashioncnn.recipes.tables.progressive_resizing import ProgressiveResizingSettings
from fashioncnn.recipes.tables.promise import Promise
from fashioncnn.recipes.tables.reported import Reported
from fashioncnn.recipes.tables.selection import SelectionSettings
from fashioncnn.recipes.tables.training import TrainingSettings
from fashioncnn.registry import Choices, MadeBy, OneOf, Registry
from fashioncnn.settings import Settings
from fashioncnn.training.losses import LOSSES
from fashioncnn.training.losses.base import LossSettings
from fashioncnn.training.losses.cross_entropy import CrossEntropySettings
from fashioncnn.training.optimizers import OPTIMIZERS
from fashioncnn.training.optimizers.adam import AdamSettings
from fashioncnn.training.optimizers.base import OptimizerSettings
from fashioncnn.training.schedules import SCHEDULES
from fashioncnn.training.schedules.base import ScheduleSettings
from fashioncnn.training.schedules.constant import ConstantSettings
from fashioncnn.usercode.part import OwnPart
from fashioncnn.usercode.source import FILE_NAME

# The tables that choose one of several, and by which registry.
CHOICES: dict[str, Choices[Any]] = {
    "model": FAMILIES,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
FileName = Annotated[str, Field(pattern=f"^{FILE_NAME.pattern}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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
