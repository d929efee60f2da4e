"""Checks of a loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fashioncnn.checking.finding import Check, Problem

PICTURES = 32


@dataclass(frozen=True)
class LossSubject:
    """A loss, and how many classes it was made for."""

    loss: nn.Module
    classes: int

    def logits(self, scale: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return random logits and labels."""
        generator = torch.Generator().manual_seed(0)
        logits = scale * torch.randn(PICTURES, self.classes, generator=generator)
        return logits.requires_grad_(), torch.arange(PICTURES) % self.classes


def one_number(subject: LossSubject) -> None:
    """Is one finite number for 1, 2 and 7 pictures, as a mean over them."""
    logits, labels = subject.logits()
    for count in (1, 2, 7):
        value = subject.loss(logits[:count], labels[:count])
        if not bool(value.isfinite()):
            raise Problem(f"{value.item()} for {count} pictures")
    once, twice = subject.loss(logits, labels), subject.loss(logits.repeat(2, 1), labels.repeat(2))
    if not torch.allclose(once, twice, rtol=1e-3):
        raise Problem(
            f"{once.item():.4g} for some pictures, {twice.item():.4g} for the same ones twice",
            "take the mean, not the sum: the rate would depend on the batch size",
        )


def falls_for_right_answers(subject: LossSubject) -> None:
    """Is lower for right answers than for wrong ones."""
    _, labels = subject.logits()
    right = 5.0 * nn.functional.one_hot(labels, subject.classes).float()
    wrong = right.roll(1, dims=1)
    if not subject.loss(right, labels).item() < subject.loss(wrong, labels).item():
        raise Problem("it is not", "logits come first, (n, classes), then labels (n,)")


def has_a_gradient(subject: LossSubject) -> None:
    """Has a finite gradient, for sure and unsure answers."""
    for scale in (1.0, 50.0):
        logits, labels = subject.logits(scale)
        subject.loss(logits, labels).backward()
        if logits.grad is None or not bool(logits.grad.any()):
            raise Problem("none reaches the logits", "no detach(), no argmax(), no item()")
        if not bool(logits.grad.isfinite().all()):
            raise Problem(
                f"NaN or infinite where logits reach ±{3 * scale:g}",
                "take functional.log_softmax(logits, 1), not the logarithm of a softmax",
            )


CHECKS: tuple[Check[LossSubject], ...] = (one_number, falls_for_right_answers, has_a_gradient)
