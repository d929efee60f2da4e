"""Batches: the pictures of one epoch, prepared as whole tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fashioncnn.data.augmentation import Augmentation
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.randomness import generator

# Small batches are prepared several at a time: large enough to hide the cost of each call,
# small enough to stay in the processor's cache.
PREPARED_AT_ONCE = 1024


@dataclass(frozen=True)
class Batch:
    """`images_NCHW` float32, prepared; `labels` int64 (n,)."""

    images_NCHW: Tensor
    labels: Tensor


@dataclass
class Batches:
    """The training pictures in a new random order every epoch.

    What `epoch` yields is a pure function of (`seed`, number of the epoch): the order and every
    draw of the augmentation follow from them. The last batch of an epoch may be smaller.
    """

    pictures: LabelledImages
    preparation: Preparation
    augmentation: Augmentation
    batch_size: int
    seed: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        self._images = as_uint8_NCHW(self.pictures.images_NHW, self.device)
        self._labels = torch.as_tensor(self.pictures.labels)

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.pictures) // self.batch_size)

    def epoch(self, number: int, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `number` (from 0), from `first_step` on."""
        random = generator(self.seed, "batches", number)
        order = torch.randperm(len(self.pictures), generator=random)
        labels = self._labels[order]
        source_size = self._images.shape[-1]
        draws = self.augmentation.draw(labels, source_size, random, self.device)
        order, labels = order.to(self.device), labels.to(self.device)

        stride = max(1, PREPARED_AT_ONCE // self.batch_size) * self.batch_size
        first = first_step * self.batch_size
        # Groups begin where they would without `first_step`, so that the arithmetic is the same.
        for start in range(first - first % stride, len(order), stride):
            group = slice(start, start + stride)
            affine = None if draws.affine_N23 is None else draws.affine_N23[group]
            images = self.preparation(self._images[order[group]], affine)
            images = draws.change_pixels(images, group)
            for offset in range(max(0, first - start), len(images), self.batch_size):
                chosen = slice(offset, offset + self.batch_size)
                yield Batch(images[chosen], labels[group][chosen])


def in_order(
    pictures: LabelledImages, preparation: Preparation, batch_size: int, device: torch.device
) -> Iterator[Batch]:
    """Yield the pictures in their own order, prepared and not augmented."""
    images = as_uint8_NCHW(pictures.images_NHW, device)
    labels = torch.as_tensor(pictures.labels, device=device)
    for start in range(0, len(images), batch_size):
        chosen = slice(start, start + batch_size)
        yield Batch(preparation(images[chosen]), labels[chosen])
