"""How a network learns: finite answers, gradients, a loss that falls."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fashioncnn.checking.finding import Problem
from fashioncnn.checking.steps import at
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.models.ensemble import for_each_member

STEPS, STEP_PICTURES = 50, 64


def finite(subject: NetworkSubject) -> None:
    """Stays finite in fp32 and bf16."""
    for bf16 in (False, True):
        network = subject.make().train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            answers = network(subject.pictures(64))
        _backward(_loss(answers, subject.labels_N[:64]))
        kind = "bf16" if bf16 else "fp32"
        if not bool(answers.isfinite().all()):
            step = next((one for one in subject.steps(True) if not one.finite), None)
            raise Problem(
                f"not in {kind}"
                + (f": NaN or infinity begins{at(step)} ({step.operation})" if step else ""),
                "keep away from log(0), sqrt of what may be below 0, and division by 0: add 1e-6",
            )
        for name, weight in network.named_parameters():
            if weight.grad is not None and not bool(weight.grad.isfinite().all()):
                raise Problem(
                    f"the gradient of {subject.defined(name)} is not, in {kind}",
                    "a sqrt or a norm of exactly 0 has no gradient: add 1e-6 inside",
                )


def gradients(subject: NetworkSubject) -> None:
    """A gradient reaches every weight."""
    network = subject.make().train()
    _backward(_loss(network(subject.pictures(64)), subject.labels_N[:64]))
    weights = dict(network.named_parameters())
    none = [name for name, one in weights.items() if one.requires_grad and one.grad is None]
    if none:
        layers = list(dict.fromkeys(name.rpartition(".")[0] or name for name in none))
        raise Problem(
            f"not {', '.join(subject.defined(one) for one in layers[:5])}"
            + (f" and {len(layers) - 5} more" if len(layers) > 5 else ""),
            "forward does not use it, or cuts it off by detach() or no_grad(): use it or leave "
            "it out",
        )
    zero = [name for name, one in weights.items() if one.grad is not None and not one.grad.any()]
    if zero:
        raise Problem(
            f"that of {', '.join(map(subject.defined, zero[:5]))} is 0 everywhere",
            "dead from the start: look at its initialisation, or at what follows it",
            note=True,
        )


def learns(subject: NetworkSubject) -> None:
    """The loss falls in 50 steps on 512 pictures."""
    first, last = _trained(subject, STEPS, len(subject.labels_N))
    if last < 0.9 * first:
        return
    rate, name = subject.recipe.optimizer.learning_rate, subject.recipe.optimizer.name
    told = f"from {first:.3f} to {last:.3f} with {name} at a learning rate of {rate:g}"
    by_heart = _trained(subject, 4 * STEPS, STEP_PICTURES)[1]
    if by_heart < 0.9 * first:
        raise Problem(
            f"slowly: {told}; one batch alone comes to {by_heart:.3f} in {4 * STEPS}",
            "try ten times optimizer.learning_rate, or more epochs",
            note=True,
        )
    raise Problem(
        f"it does not: {told}",
        "try a tenth and ten times optimizer.learning_rate; look at the other findings first",
    )


def _trained(subject: NetworkSubject, steps: int, pictures: int) -> tuple[float, float]:
    """Train, and return the mean loss of the first and the last five steps."""
    network = subject.make().train()
    optimizer = subject.recipe.optimizer.build(network)
    losses = []
    for step in range(steps):
        chosen = torch.arange(step * STEP_PICTURES, (step + 1) * STEP_PICTURES) % pictures
        loss = _loss(network(subject.images_NCHW[chosen]), subject.labels_N[chosen])
        optimizer.zero_grad()
        _backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    return sum(losses[:5]) / 5, sum(losses[-5:]) / 5


def _loss(answers: Tensor, labels_N: Tensor) -> Tensor:
    return functional.cross_entropy(answers.float(), for_each_member(labels_N, answers))


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]
