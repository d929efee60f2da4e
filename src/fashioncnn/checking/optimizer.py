"""Checks of an optimiser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from fashioncnn.checking.finding import Check, Problem
from fashioncnn.checking.network.learning import learns
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.training.state import TrainingState

HALF = 5


@dataclass(frozen=True)
class OptimizerSubject:
    """The optimiser of a recipe, on the recipe's network."""

    on: NetworkSubject

    def begin(self) -> TrainingState:
        """Return network and optimiser before the first step."""
        network = self.on.make().train()
        optimizer = self.on.recipe.optimizer.build(network)
        return TrainingState(network, optimizer, None, torch.device("cpu"))

    def step(self, state: TrainingState, count: int) -> None:
        """Take steps on the first pictures, each on others, without dropout's chance."""
        for number in range(count):
            at = slice(16 * number, 16 * number + 16)
            torch.manual_seed(number)
            answers = state.network(self.on.images_NCHW[at])
            loss = nn.functional.cross_entropy(answers.float(), self.on.labels_N[at])
            state.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            state.optimizer.step()


def lowers_the_loss(subject: OptimizerSubject) -> None:
    """The loss falls in 50 steps on 512 pictures."""
    learns(subject.on)


def moves_every_weight(subject: OptimizerSubject) -> None:
    """Moves every weight that has a gradient, and keeps it finite."""
    state = subject.begin()
    before = {name: one.detach().clone() for name, one in state.network.named_parameters()}
    subject.step(state, HALF)
    for name, weight in state.network.named_parameters():
        if not bool(weight.isfinite().all()):
            raise Problem(f"{name} is NaN or infinite after {HALF} steps", "lower the rate")
        if (
            weight.grad is not None
            and bool(weight.grad.any())
            and torch.equal(weight, before[name])
        ):
            raise Problem(
                f"{name} stays as it was", "walk through all of self.param_groups and their params"
            )


def scaled_by_the_schedule(subject: OptimizerSubject) -> None:
    """Takes its rate from group['lr'], which the schedule scales."""
    state = subject.begin()
    state.set_learning_rates(0.0)
    before = {name: one.detach().clone() for name, one in state.network.named_parameters()}
    subject.step(state, 1)
    for name, weight in state.network.named_parameters():
        if not torch.equal(weight, before[name]):
            raise Problem(f"{name} moves at a learning rate of 0", "read group['lr'] at every step")


def goes_on_after_a_stop(subject: OptimizerSubject) -> None:
    """Goes on after a stop as if there had been none."""
    whole = subject.begin()
    subject.step(whole, 2 * HALF)
    first = subject.begin()
    subject.step(first, 2 * HALF - 1)
    second = subject.begin()
    second.restore({k: v.clone() for k, v in first.tensors().items()}, first.values())
    for state in (first, second):
        subject.step(state, 1)
    for (name, one), other in zip(
        first.network.named_parameters(), second.network.parameters(), strict=True
    ):
        if not torch.equal(one, other):
            raise Problem(
                f"{name} comes out otherwise",
                "keep tensors and numbers in self.state[weight]; what stands in self is lost",
            )


CHECKS: tuple[Check[OptimizerSubject], ...] = (
    moves_every_weight,
    scaled_by_the_schedule,
    goes_on_after_a_stop,
    lowers_the_loss,
)
