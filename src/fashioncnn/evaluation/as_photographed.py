"""Pictures of the data set as if they had been photographed and converted."""

from __future__ import annotations

import numpy as np
import torch

from fashioncnn.data.augmentations.photographed import Photographed
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.randomness import generator


def as_photographed(pictures: LabelledImages, at_most: int) -> LabelledImages:
    """Return the first `at_most` pictures so, mirror image after each; always the same."""
    some = pictures.take(np.arange(min(at_most, len(pictures))))
    images_NCHW = torch.as_tensor(some.images_NHWC).movedim(3, 1)
    random = generator(0, "as photographed")
    uniforms = torch.rand(len(some), Photographed.uniforms - 1, generator=random)
    changed_NHWC = Photographed().changed(images_NCHW, uniforms).movedim(1, 3)
    both = torch.stack([changed_NHWC, changed_NHWC.flip(2)], 1).flatten(0, 1)
    return LabelledImages(both.numpy(), some.labels.repeat(2), some.class_names)
