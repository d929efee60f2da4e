"""What a network answers: shapes, logits, and the pictures as they were."""

from __future__ import annotations

import torch
from torch import Tensor

from fashioncnn.checking.finding import Problem
from fashioncnn.checking.steps import at
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.usercode.faults import in_words, told_by_lines

BATCHES = (1, 2, 7)


def shapes(subject: NetworkSubject) -> None:
    """Takes batches of 1, 2 and 7 pictures, answers a row for each."""
    for training in (False, True):
        network = subject.make().train(training)
        for count in BATCHES:
            if count == 1 and training:
                continue
            answers = network(subject.pictures(count))
            if not isinstance(answers, Tensor):
                when = "in training" if training else "in evaluation"
                raise Problem(
                    f"answers a {type(answers).__name__} {when}, not a tensor",
                    "return the logits alone; what else is wanted can be kept for oneself",
                )
            wanted = (count, subject.classes)
            while training and answers.dim() > 2:
                answers = answers[..., 0]
            if tuple(answers.shape) != wanted:
                raise Problem(
                    f"answers {tuple(answers.shape)} for {count} pictures, not {wanted}",
                    "leave the batch alone: x.flatten(1), and squeeze(dim) with another dim than 0",
                )


def one_picture(subject: NetworkSubject) -> None:
    """Can learn from a batch of one picture, too."""
    try:
        subject.make().train()(subject.pictures(1))
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        recipe = subject.recipe
        left = len(subject.labels_N) % recipe.training.batch_size
        raise Problem(
            f"batch norm cannot: {told_by_lines(error) or in_words(error)}",
            f"choose training.batch_size so that an epoch's last batch has more than one picture; "
            f"with {recipe.training.batch_size} it must not leave 1 over"
            + (" (of these pictures it does)" if left == 1 else ""),
            note=True,
        ) from None


def leaves_the_input(subject: NetworkSubject) -> None:
    """Leaves the pictures that it is given as they were."""
    for training in (False, True):
        step = next((one for one in subject.steps(training) if one.changed_input), None)
        if step:
            raise Problem(
                f"changes them in place{at(step)} ({step.operation})",
                "work on a copy: x = x - mean in place of x -= mean, ReLU without inplace=True "
                "as the first layer",
            )


def logits(subject: NetworkSubject) -> None:
    """Answers logits, not probabilities."""
    with torch.no_grad():
        answers = subject.network.eval()(subject.pictures(64)).float()
    if answers.min() >= 0 and torch.allclose(answers.sum(1), torch.ones(()), atol=1e-3):
        found = [one for one in subject.steps() if "softmax" in one.operation]
        raise Problem(
            f"they are 0 or more and add up to 1: a softmax{at(found[-1] if found else None)}",
            "return what the last layer gives; the loss takes the softmax itself, and twice "
            "learns slowly",
        )
    if torch.allclose(answers.logsumexp(1), torch.zeros(()), atol=1e-3):
        raise Problem(
            "they are logarithms of probabilities: a log_softmax",
            "return what the last layer gives: no accuracy is lost, but its energy, by which "
            "unknown pictures are noticed",
            note=True,
        )
    varied = float(answers.std()) > 1e-6
    if varied and answers.min() == 0 and (answers == 0).float().mean() > 0.2:
        raise Problem(
            "none is below 0, and many are 0: a ReLU after the last layer",
            "return what the last layer gives: a class that is at 0 cannot be learned any more",
        )
    if varied and answers.min() > 0 and answers.max() < 1:
        raise Problem(
            "all lie between 0 and 1, as after a sigmoid",
            "return what the last layer gives; the loss takes the softmax itself",
        )
