"""The table `augmentation`: a key for each augmentation that is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import Field, create_model

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.settings import NotNegative, Settings
from fashioncnn.usercode.part import Address


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
