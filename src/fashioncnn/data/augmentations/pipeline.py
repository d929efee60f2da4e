"""The augmentations that a recipe asks for, how strong for which class; one epoch's draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.augmentations.base import (
    NO_CLASS,
    AffineAugmentation,
    Augmentation,
    Counterexample,
    PixelAugmentation,
)
from fashioncnn.data.augmentations.flip import HorizontalFlip


@dataclass(frozen=True)
class EpochDraws:
    """Everything random about one epoch's pictures, drawn ahead, by position in the epoch.

    `labels` are NO_CLASS where a picture becomes one of no class. `affine_N23` is None when nothing
    moves; `pixels` holds (uniforms, strength) by augmentation.
    """

    labels: Tensor
    affine_N23: Tensor | None
    pixels: dict[str, tuple[Tensor, Tensor]]
    own: Mapping[str, Augmentation] = field(default_factory=dict)

    def change_pixels(self, images_NCHW: Tensor, positions: slice) -> Tensor:
        """Apply the pixel augmentations to the uint8 pictures at `positions`."""
        for key, (uniforms, strength) in self.pixels.items():
            augmentation = self.own.get(key) or AUGMENTATIONS[key]
            assert isinstance(augmentation, PixelAugmentation)
            images_NCHW = augmentation.change(images_NCHW, uniforms[positions], strength[positions])
        return images_NCHW


@dataclass(frozen=True)
class AugmentationPipeline:
    """Strength by augmentation (the keys of AUGMENTATIONS), and what differs for some classes.

    `own` are the user's own by key, which work after the others.
    With `alternating_flip`, `Batches` gives every picture its flips in turn instead of at random.
    """

    strengths: Mapping[str, float] = field(default_factory=dict)
    by_class: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    alternating_flip: bool = False
    own: Mapping[str, Augmentation] = field(default_factory=dict)

    def active(self) -> list[str]:
        """List the augmentations that do anything for any class, in the order of the registry."""
        tables = [self.strengths, *self.by_class.values()]
        known = (*AUGMENTATIONS, *self.own)
        return [key for key in known if any(table.get(key, 0.0) > 0 for table in tables)]

    @property
    def makes_counterexamples(self) -> bool:
        """Whether some pictures become ones of no class."""
        return any(isinstance(self._named(key), Counterexample) for key in self.active())

    def _named(self, key: str) -> Augmentation:
        return self.own.get(key) or AUGMENTATIONS[key]

    def draw(
        self,
        labels: Tensor,
        source_size: tuple[int, int],
        generator: torch.Generator,
        device: torch.device,
        flip_uniforms_N1: Tensor | None = None,
    ) -> EpochDraws:
        """Draw for pictures with these `labels` (n,) and (height, width); move it to `device`.

        Drawing is on the processor always, so that a seed means the same on every device.
        `flip_uniforms_N1` decides the flips in place of a draw.
        """
        affine: Tensor | None = None
        pixels = {}
        taught = labels
        for key in self.active():
            augmentation = self._named(key)
            uniforms = torch.rand(len(labels), augmentation.uniforms, generator=generator)
            if key == HorizontalFlip.key and flip_uniforms_N1 is not None:
                uniforms = flip_uniforms_N1
            strength = self._strength(key, labels)
            if isinstance(augmentation, AffineAugmentation):
                matrices = augmentation.matrices(uniforms, strength, source_size)
                affine = matrices if affine is None else affine @ matrices
            else:
                pixels[key] = (uniforms.to(device), strength.to(device))
            if isinstance(augmentation, Counterexample):
                taught = torch.where(augmentation.chosen(uniforms, strength), NO_CLASS, taught)
        moves = None if affine is None else affine[:, :2].to(device)
        return EpochDraws(taught.to(device), moves, pixels, self.own)

    def _strength(self, key: str, labels: Tensor) -> Tensor:
        strength = torch.full((len(labels),), float(self.strengths.get(key, 0.0)))
        for label, table in self.by_class.items():
            if key in table:
                strength[labels == label] = float(table[key])
        return strength
