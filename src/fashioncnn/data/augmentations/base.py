"""What every augmentation is: a key of the recipe with its bounds, and what it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor

# The label of pictures that are of none of the classes.
NO_CLASS = -1


class Augmentation(ABC):
    """A random transformation of training pictures, whose strength may differ by class.

    `key` is its key in a recipe; `strength` is the type that the key has there, with bounds and
    meaning, and 0 is off. It takes `uniforms` uniform random numbers a picture, and never draws
    its own.
    """

    key: ClassVar[str]
    strength: ClassVar[Any]
    uniforms: ClassVar[int]


class PixelAugmentation(Augmentation):
    """Changes the pixels of uint8 pictures, before they are sampled and normalised."""

    @abstractmethod
    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Return uint8 pictures of the same shape; the input stays as it is."""


class SometimesAugmentation(PixelAugmentation):
    """A pixel augmentation whose `strength` is the probability that a picture is changed at all.

    The first uniform number decides that; the others are for the change.
    """

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """See PixelAugmentation."""
        chosen = self.chosen(uniforms_NU, strength_N)
        if not bool(chosen.any()):
            return images_NCHW
        result = images_NCHW.clone()
        result[chosen] = self.changed(images_NCHW[chosen], uniforms_NU[chosen, 1:])
        return result

    @staticmethod
    def chosen(uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """Return which pictures are changed, bool (n,)."""
        return uniforms_NU[:, 0] < strength_N

    @abstractmethod
    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """Return the pictures changed, each by its own uniform numbers."""


class Counterexample(SometimesAugmentation):
    """What it makes of a picture is of none of the classes: its label becomes NO_CLASS.

    Networks that are taught to have no opinion of such pictures have less of others that they do
    not know (Hendrycks et al., Deep Anomaly Detection with Outlier Exposure, arXiv 1812.04606).
    """


class AffineAugmentation(Augmentation):
    """Moves pixels; all that are active are multiplied, and the picture is sampled once."""

    @abstractmethod
    def matrices(
        self, uniforms_NU: Tensor, strength_N: Tensor, source_size: tuple[int, int]
    ) -> Tensor:
        """Return (n, 3, 3): homogeneous output position to source position, both in -1..1.

        `source_size` is (height, width), in pixels.
        """
