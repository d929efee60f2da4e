"""Checks of a loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fashioncnn.checking.finding import Check, Problem

CLASSES, PICTURES = 10, 32


def _logits(scale: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(PICTURES, CLASSES, generator=generator)
    return logits.requires_grad_(), torch.arange(PICTURES) % CLASSES


def one_number(loss: nn.Module) -> None:
    """Is one finite number for 1, 2 and 7 pictures, as a mean over them."""
    logits, labels = _logits()
    for count in (1, 2, 7):
        value = loss(logits[:count], labels[:count])
        if not bool(value.isfinite()):
            raise Problem(f"{value.item()} for {count} pictures")
    once, twice = loss(logits, labels), loss(logits.repeat(2, 1), labels.repeat(2))
    if not torch.allclose(once, twice, rtol=1e-3):
        raise Problem(
            f"{once.item():.4g} for some pictures, {twice.item():.4g} for the same ones twice",
            "take the mean, not the sum: the rate would depend on the batch size",
        )


def falls_for_right_answers(loss: nn.Module) -> None:
    """Is lower for right answers than for wrong ones."""
    _, labels = _logits()
    right = 5.0 * nn.functional.one_hot(labels, CLASSES).float()
    wrong = right.roll(1, dims=1)
    if not loss(right, labels).item() < loss(wrong, labels).item():
        raise Problem("it is not", "logits come first, (n, classes), then labels (n,)")


def has_a_gradient(loss: nn.Module) -> None:
    """Has a finite gradient, for sure and unsure answers."""
    for scale in (1.0, 50.0):
        logits, labels = _logits(scale)
        loss(logits, labels).backward()
        if logits.grad is None or not bool(logits.grad.any()):
            raise Problem("none reaches the logits", "no detach(), no argmax(), no item()")
        if not bool(logits.grad.isfinite().all()):
            raise Problem(
                f"NaN or infinite where logits reach ±{3 * scale:g}",
                "take functional.log_softmax(logits, 1), not the logarithm of a softmax",
            )


CHECKS: tuple[Check[nn.Module], ...] = (one_number, falls_for_right_answers, has_a_gradient)
