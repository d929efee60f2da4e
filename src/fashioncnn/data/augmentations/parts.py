"""Parts of garments that are garments of their own: the legs' upper part is a pair of shorts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import Counterexample
from fashioncnn.data.augmentations.geometry import GROUND, fitted

SMALLEST_SHARE, LARGEST_SHARE = 0.35, 0.6


class _Part(Counterexample):
    """Leaves 35 to 60 % of a garment's height, fitted to the picture."""

    uniforms = 2
    upper: bool

    def changed(self, images_NCHW: Tensor, uniforms_NU: Tensor) -> Tensor:
        """See SometimesAugmentation."""
        rows = (images_NCHW.amax((1, 3)) > GROUND).float()
        covered = rows.cumsum(1) / rows.sum(1, keepdim=True).clamp(min=1)
        share = SMALLEST_SHARE + (LARGEST_SHARE - SMALLEST_SHARE) * uniforms_NU[:, :1]
        kept = covered <= share if self.upper else covered > 1 - share
        return fitted(images_NCHW * kept[:, None, :, None])


class UpperPart(_Part):
    """`strength` is the probability that a picture becomes its upper part, and of no class."""

    key = "upper_part_probability"
    strength = Annotated[
        float,
        Field(ge=0, le=1, description="Of the upper part alone, of no class: shorts of trousers."),
    ]
    upper = True


class LowerPart(_Part):
    """`strength` is the probability that a picture becomes its lower part, and of no class."""

    key = "lower_part_probability"
    strength = Annotated[
        float,
        Field(ge=0, le=1, description="Of the lower part alone, of no class: a skirt of a dress."),
    ]
    upper = False
