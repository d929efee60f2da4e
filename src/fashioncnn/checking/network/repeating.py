"""Whether a network answers the same again: by seed, in evaluation, alone and in a batch."""

from __future__ import annotations

import torch
from torch import nn

from fashioncnn.checking.finding import Problem
from fashioncnn.checking.steps import at
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.models.ensemble import joint

# Rounding differs with the size of a batch; what mixes pictures differs by far more.
TOLERANCE = 1e-3
CHANGING = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)


def same_for_a_seed(subject: NetworkSubject) -> None:
    """A seed decides its weights, and what it answers in training."""
    left, right = subject.make(1).train(), subject.make(1).train()
    again = right.state_dict()
    for name, one in left.state_dict().items():
        if not torch.equal(one, again[name]):
            raise Problem(
                f"{subject.defined(name)} comes out otherwise the second time",
                "draw random numbers from torch alone, not from random, numpy or the time",
            )
    other = subject.make(2).state_dict()
    drawn = [name for name, one in again.items() if one.dim() > 1 and float(one.float().std()) > 0]
    if drawn and all(torch.equal(again[name], other[name]) for name in drawn):
        raise Problem(
            "two seeds give the same weights",
            "take torch.manual_seed() out: seeds are the recipe's, and all would begin alike",
        )
    torch.manual_seed(2)
    first = left(subject.pictures(7))
    torch.manual_seed(2)
    if not torch.equal(first, right(subject.pictures(7))):
        raise Problem(
            "the same seed gives two answers in training",
            "draw random numbers from torch alone, not from random, numpy or the time",
        )


def same_in_evaluation(subject: NetworkSubject) -> None:
    """Answers the same twice in evaluation."""
    network = subject.make().eval()
    with torch.no_grad():
        answers = [network(subject.pictures(7)) for _ in range(2)]
    if not torch.equal(*answers):
        step = next((one for one in subject.steps() if one.random), None)
        raise Problem(
            f"draws random numbers there, too{at(step)}",
            "use nn.Dropout, or functional.dropout(x, p, self.training)",
        )


def by_itself(subject: NetworkSubject) -> None:
    """Answers for a picture do not depend on the others in its batch."""
    network = subject.network.eval()
    with torch.no_grad():
        together = network(subject.pictures(7))
        alone = torch.cat([network(subject.pictures(7)[at : at + 1]) for at in range(7)])
    difference = float((together - alone).abs().max())
    if difference > TOLERANCE * max(1.0, float(together.abs().max())):
        raise Problem(
            f"they do in evaluation, by up to {difference:.2g}",
            "batch norm needs track_running_stats; norms and attention go over a picture's own "
            "features, not over the batch (dim 0)",
        )


def differs_where_it_should(subject: NetworkSubject) -> None:
    """Training and evaluation differ by dropout and norms alone."""
    network = subject.make()
    if any(isinstance(one, CHANGING) for one in network.modules()):
        return
    with torch.no_grad():
        torch.manual_seed(3)
        learning = joint(network.train()(subject.pictures(7)))
        torch.manual_seed(3)
        answering = network.eval()(subject.pictures(7))
    if not torch.allclose(learning, answering, atol=TOLERANCE):
        raise Problem(
            "they do differ, and there is neither dropout nor batch norm among its layers",
            "if forward asks self.training for a reason, all is well",
            note=True,
        )
