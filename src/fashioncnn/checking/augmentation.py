"""Checks of an augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fashioncnn.checking.finding import Check, Problem
from fashioncnn.data.augmentations.base import AffineAugmentation, Augmentation, PixelAugmentation


@dataclass(frozen=True)
class AugmentationSubject:
    """An augmentation at the strength of its recipe, on uint8 pictures (n, c, h, w)."""

    augmentation: Augmentation
    strength: float
    images_NCHW: Tensor

    def change(self, count: int, strength: float | None = None, first: int = 0) -> Tensor:
        """Change some pictures; each has its own random numbers."""
        assert isinstance(self.augmentation, PixelAugmentation)
        chosen = slice(first, first + count)
        random = torch.Generator().manual_seed(0)
        every = torch.rand(len(self.images_NCHW), self.augmentation.uniforms, generator=random)
        strengths = torch.full((count,), self.strength if strength is None else strength)
        images = self.images_NCHW[chosen].clone()
        kept = images.clone()
        changed = self.augmentation.change(images, every[chosen], strengths)
        if not torch.equal(images, kept):
            raise Problem(
                "changes the pictures that it is given", "work on images.clone(), and return that"
            )
        if changed.shape != images.shape or changed.dtype != torch.uint8:
            raise Problem(
                f"returns {changed.dtype} {tuple(changed.shape)} for uint8 {tuple(images.shape)}",
                "round, clamp to 0 and 255, then .to(torch.uint8)",
            )
        return changed


def pictures_as_before(subject: AugmentationSubject) -> None:
    """Returns uint8 pictures of the same shape, for 1, 2 and 7, and leaves its input."""
    for count in (1, 2, 7):
        subject.change(count)


def off_at_nothing(subject: AugmentationSubject) -> None:
    """Changes nothing at strength 0, and something at the recipe's."""
    if not torch.equal(subject.change(64, 0.0), subject.images_NCHW[:64]):
        raise Problem(
            "strength 0 changes pictures", "0 is off; strength is a number for each picture"
        )
    if torch.equal(subject.change(64), subject.images_NCHW[:64]):
        raise Problem(
            f"strength {subject.strength:g} changes none of 64 pictures",
            "multiply by strength, or compare uniforms[:, 0] with it, unless that is to be rare",
            note=True,
        )


def from_its_uniforms(subject: AugmentationSubject) -> None:
    """Draws nothing by itself: the random numbers that it is given decide."""
    torch.manual_seed(1)
    first = subject.change(64)
    torch.manual_seed(2)
    if not torch.equal(first, subject.change(64)):
        raise Problem(
            "the same random numbers give two results",
            "take them from uniforms (n, 8), each evenly from 0 to 1: a resumed training draws "
            "them again",
        )


def each_by_itself(subject: AugmentationSubject) -> None:
    """Changes each picture by itself."""
    together = subject.change(7)
    alone = torch.cat([subject.change(1, first=at) for at in range(7)])
    if not torch.equal(together, alone):
        raise Problem(
            "a picture comes out otherwise beside others",
            "uniforms[i] and strength[i] belong to picture i; mixing pictures changes labels, too",
        )


def gives_matrices(subject: AugmentationSubject) -> None:
    """Gives a finite matrix for each picture, and that of no change at strength 0."""
    assert isinstance(subject.augmentation, AffineAugmentation)
    uniforms = torch.rand(7, subject.augmentation.uniforms)
    height, width = subject.images_NCHW.shape[2:]
    for strength in (0.0, subject.strength):
        found = subject.augmentation.matrices(uniforms, torch.full((7,), strength), (height, width))
        if found.shape != (7, 3, 3) or not bool(found.isfinite().all()):
            raise Problem(f"{tuple(found.shape)} for 7 pictures", "(n, 3, 3), in -1..1")
        if not strength and not torch.allclose(found, torch.eye(3).expand(7, 3, 3), atol=1e-6):
            raise Problem("strength 0 moves pixels", "0 is off")


def checks_of(augmentation: Augmentation) -> tuple[Check[AugmentationSubject], ...]:
    """Return what is to be looked at."""
    return CHECKS if isinstance(augmentation, PixelAugmentation) else (gives_matrices,)


CHECKS: tuple[Check[AugmentationSubject], ...] = (
    pictures_as_before,
    off_at_nothing,
    from_its_uniforms,
    each_by_itself,
)
