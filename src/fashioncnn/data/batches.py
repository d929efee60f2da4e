"""Batches: the pictures of one epoch, prepared as whole tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from fashioncnn.data.augmentations.pipeline import AugmentationPipeline
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.randomness import generator
from fashioncnn.data.resizing import ProgressiveResizing
from fashioncnn.data.selection import Selection
from fashioncnn.errors import RecipeError

# Small batches are prepared several at a time: large enough to hide the cost of each call,
# small enough to stay in the processor's cache.
PREPARED_AT_ONCE = 1024
# A GPU waits at the beginning of each group: as many at once as these bytes hold.
GPU_BYTES_AT_ONCE = 256 << 20


@dataclass(frozen=True)
class Batch:
    """`images_NCHW` float32, prepared; `labels` and `indices` (places in the split) int64 (n,).

    A label is NO_CLASS where the augmentation made a picture of no class.
    Where several processes share a batch, the images alone are this process's part of it.
    """

    images_NCHW: Tensor
    labels: Tensor
    indices: Tensor


@dataclass
class Batches:
    """The training pictures, or with `selection` the hard ones, in a new random order every epoch.

    Without `shuffle`, they come in the order in which they lie in the data. `resizing` lets early
    epochs see them smaller than `preparation` makes them.

    What `epoch` yields is a pure function of (`seed`, number of the epoch, losses known at its
    start): the order and every draw of the augmentation follow from them. The last batch of an
    epoch may be smaller. Of each batch, process `rank` of `processes` gets every `processes`-th
    picture, so that the processes together see what one would. Raises RecipeError when
    `batch_size` cannot be shared out evenly.
    """

    pictures: LabelledImages
    preparation: Preparation
    augmentation: AugmentationPipeline
    batch_size: int
    seed: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    selection: Selection | None = None
    resizing: ProgressiveResizing | None = None
    shuffle: bool = True
    rank: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if self.batch_size % self.processes:
            raise RecipeError(
                f"training.batch_size is {self.batch_size}: {self.processes} processes cannot "
                "share that evenly"
            )
        self._images = as_uint8_NCHW(self.pictures.images_NHWC, self.device)
        self._labels = torch.as_tensor(self.pictures.labels)
        self._flip_phase: Tensor | None = None
        if self.augmentation.alternating_flip:
            random = generator(self.seed, "alternating flip")
            self._flip_phase = torch.rand(len(self.pictures), 1, generator=random)

    def image_count(self, epoch: int) -> int:
        """How many pictures epoch `epoch` (from 0) has."""
        whole = len(self.pictures)
        return self.selection.image_count(epoch, whole) if self.selection else whole

    def image_size(self, epoch: int) -> tuple[int, int]:
        """Height and width of the pictures of epoch `epoch` (from 0)."""
        whole = self.preparation.image_size
        return self.resizing.image_size(epoch, whole) if self.resizing else whole

    def steps(self, epoch: int) -> int:
        """How many batches epoch `epoch` has."""
        return -(-self.image_count(epoch) // self.batch_size)

    def steps_before(self, epoch: int) -> int:
        """How many batches all epochs before `epoch` have."""
        return sum(self.steps(earlier) for earlier in range(epoch))

    def epoch(
        self, number: int, first_step: int = 0, losses_N: Tensor | None = None
    ) -> Iterator[Batch]:
        """Yield the batches of epoch `number` (from 0), from `first_step` on.

        `losses_N`, the latest known, are needed where `selection` leaves pictures out.
        """
        random = generator(self.seed, "batches", number)
        order = self._order(number, losses_N, random)
        labels = self._labels[order]
        height, width = self._images.shape[-2:]
        draws = self.augmentation.draw(
            labels, (height, width), random, self.device, self._flips(number, order)
        )
        order, labels = order.to(self.device), draws.labels

        preparation = replace(self.preparation, image_size=self.image_size(number))
        stride = max(1, self._at_once() // self.batch_size) * self.batch_size
        first = first_step * self.batch_size
        # Groups begin where they would without `first_step`, so that the arithmetic is the same.
        for start in range(first - first % stride, len(order), stride):
            end = min(start + stride, len(order))
            mine = slice(start + self.rank, end, self.processes)
            affine = None if draws.affine_N23 is None else draws.affine_N23[mine]
            images = draws.change_pixels(self._images[order[mine]], mine)
            images = preparation(images, affine)
            share = self.batch_size // self.processes
            for batch, at in enumerate(range(start, end, self.batch_size)):
                if at >= first:
                    chosen = slice(at, min(at + self.batch_size, end))
                    part = images[batch * share : (batch + 1) * share]
                    yield Batch(part, labels[chosen], order[chosen])

    def _at_once(self) -> int:
        """How many pictures are prepared together."""
        if self.device.type != "cuda":
            return PREPARED_AT_ONCE
        height, width = self.preparation.image_size
        return GPU_BYTES_AT_ONCE // (4 * self._images.shape[1] * height * width)

    def _order(self, number: int, losses_N: Tensor | None, random: torch.Generator) -> Tensor:
        """Return the indices of epoch `number`'s pictures, in the order of training."""
        count = self.image_count(number)
        order = torch.randperm(count, generator=random) if self.shuffle else torch.arange(count)
        if self.selection and losses_N is not None:
            chosen = self.selection.choose(number, losses_N).cpu()
            return chosen[order] if self.shuffle else chosen.sort().values
        return order

    def _flips(self, number: int, order: Tensor) -> Tensor | None:
        """Return the alternating flips' uniforms (n, 1) of epoch `number`, by place in `order`.

        A picture's number moves by a half every epoch: with probability 1/2, what was flipped in
        one epoch is not in the next (Jordan, arXiv 2404.00498, sec. 3.6).
        """
        if self._flip_phase is None:
            return None
        return (self._flip_phase[order] + number / 2) % 1


def in_order(
    pictures: LabelledImages, preparation: Preparation, batch_size: int, device: torch.device
) -> Iterator[Batch]:
    """Yield the pictures in their own order, prepared and not augmented."""
    images = as_uint8_NCHW(pictures.images_NHWC, device)
    labels = torch.as_tensor(pictures.labels, device=device)
    for start in range(0, len(images), batch_size):
        chosen = slice(start, start + batch_size)
        indices = torch.arange(start, start + len(labels[chosen]), device=device)
        yield Batch(preparation(images[chosen]), labels[chosen], indices)
