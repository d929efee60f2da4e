"""Random transformations of training pictures: one a file, registered here.

A pixel augmentation changes the uint8 pictures; an affine one answers matrices, which are
multiplied, and what the first left is sampled once. Both work in the order of the registry.
"""

from __future__ import annotations

from fashioncnn.data.augmentations.base import Augmentation
from fashioncnn.data.augmentations.drawn import Drawn
from fashioncnn.data.augmentations.erasing import RandomErasing
from fashioncnn.data.augmentations.flip import HorizontalFlip
from fashioncnn.data.augmentations.pair import Pair
from fashioncnn.data.augmentations.parts import LowerPart, UpperPart
from fashioncnn.data.augmentations.photographed import Photographed
from fashioncnn.data.augmentations.rotation import Rotation
from fashioncnn.data.augmentations.shift import Shift
from fashioncnn.data.augmentations.shuffled import Shuffled
from fashioncnn.data.augmentations.spread_sleeves import SpreadSleeves
from fashioncnn.data.augmentations.translation import Translation
from fashioncnn.registry import Registry

AUGMENTATIONS: Registry[Augmentation] = Registry(
    lambda augmentation: augmentation.key,
    (
        HorizontalFlip(),
        UpperPart(),
        LowerPart(),
        Pair(),
        Shuffled(),
        Drawn(),
        SpreadSleeves(),
        Photographed(),
        Shift(),
        RandomErasing(),
        Translation(),
        Rotation(),
    ),
)
