"""Checks of a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.checking.finding import Check, Problem
from fashioncnn.checking.steps import Step
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.data.images import Shape
from fashioncnn.errors import BundleError, ExtraError
from fashioncnn.exporting.graph import to_onnx
from fashioncnn.models.ensemble import for_each_member, joint
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs import checkpoints
from fashioncnn.usercode.faults import in_words, told_by_lines

BATCHES = (1, 2, 7)
STEPS, STEP_PICTURES = 50, 64
# Rounding differs with the size of a batch; what mixes pictures differs by far more.
TOLERANCE = 1e-3
CHANGING = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)


def _at(step: Step | None) -> str:
    return f" at {step.line}" if step and step.line else ""


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
                f"changes them in place{_at(step)} ({step.operation})",
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
            f"they are 0 or more and add up to 1: a softmax{_at(found[-1] if found else None)}",
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
                + (f": NaN or infinity begins{_at(step)} ({step.operation})" if step else ""),
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


def registered(subject: NetworkSubject) -> None:
    """Layers and weights are known to the network."""
    known = {id(one) for one in subject.network.modules()}
    known |= {id(one) for one in subject.network.parameters()}
    usual = nn.Module().__dict__.keys()
    for path, module in subject.network.named_modules():
        for name, value in vars(module).items():
            if name in usual:
                continue
            where = subject.defined(f"{path}.{name}" if path else name)
            for one in _held(value):
                if isinstance(one, nn.Module | nn.Parameter) and id(one) not in known:
                    kind = "nn.ModuleList" if isinstance(one, nn.Module) else "nn.ParameterList"
                    raise Problem(
                        f"{where} is a plain {type(value).__name__} that holds them: they would "
                        "neither learn nor be saved",
                        f"make it an {kind}",
                    )
                learning = isinstance(one, Tensor) and one.is_leaf and one.requires_grad
                if learning and id(one) not in known:
                    raise Problem(
                        f"{where} is a tensor with a gradient, and no nn.Parameter: it would "
                        "neither learn nor be saved",
                        "make it an nn.Parameter",
                    )


def _held(value: object, depth: int = 4) -> Iterator[object]:
    """Yield what a value holds, inside of lists, tables and the like, too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset) and depth:
        for one in value:
            yield from _held(one, depth - 1)
    else:
        yield value


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
            f"draws random numbers there, too{_at(step)}",
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


def keeps_no_state(subject: NetworkSubject) -> None:
    """Keeps nothing from one picture to the next but in weights and buffers."""
    network = subject.make()
    before = _attributes(network)
    for training in (True, False):
        network.train(training)(subject.pictures(7))
    after = _attributes(network)
    changed = [name for name in after if name not in before or before[name] != after[name]]
    if not changed:
        return
    fresh = subject.make()
    fresh.load_state_dict(network.state_dict())
    with torch.no_grad():
        answers = [one.eval()(subject.pictures(7)) for one in (network, fresh)]
    told = f"self.{subject.defined(changed[0])} changes as it answers, and no checkpoint has it"
    if torch.equal(*answers):
        raise Problem(told, "no answer follows from it, so that all is well", note=True)
    raise Problem(
        told, "self.register_buffer for what a resumed training needs; nothing at all is better"
    )


def saves_and_loads(subject: NetworkSubject) -> None:
    """Survives saving and loading."""
    network = subject.make(0)
    network.train()(subject.pictures(7))
    packed = checkpoints.pack({f"model/{k}": v for k, v in network.state_dict().items()})
    saved = checkpoints.unpack(Path("the checkpoint"), packed)
    again = subject.make(1)
    again.load_state_dict({name.removeprefix("model/"): one for name, one in saved.items()})
    with torch.no_grad():
        answers = [one.eval()(subject.pictures(7)) for one in (network, again)]
    if not torch.equal(*answers):
        raise Problem(
            "answers otherwise after it: it keeps something outside weights and buffers",
            "self.register_buffer for tensors that are drawn or counted",
        )


def exports(subject: NetworkSubject) -> None:
    """Exports to ONNX."""
    channels, height, width = subject.raw_NCHW.shape[1:]
    try:
        to_onnx(
            subject.make().eval(),
            build_preparation(subject.recipe),
            Shape(channels, height, width),
        )
    except ExtraError as missing:
        raise Problem(
            "not tried: the exporter is not installed", str(missing).partition(": ")[2], True
        ) from None
    except BundleError as wrong:
        raise Problem(
            f"does not: {wrong}",
            "no branches on what a tensor holds, no numpy inside forward",
            note=True,
        ) from None


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


CHECKS: tuple[Check[NetworkSubject], ...] = (
    shapes,
    one_picture,
    registered,
    leaves_the_input,
    logits,
    finite,
    gradients,
    same_for_a_seed,
    same_in_evaluation,
    by_itself,
    differs_where_it_should,
    keeps_no_state,
    saves_and_loads,
    learns,
    exports,
)


def _loss(answers: Tensor, labels_N: Tensor) -> Tensor:
    return functional.cross_entropy(answers.float(), for_each_member(labels_N, answers))


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def _attributes(network: nn.Module) -> dict[str, Any]:
    """Return what modules keep beside weights, buffers and layers, as values to compare."""
    found: dict[str, Any] = {}
    for path, module in network.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or name == "training":
                continue
            full = f"{path}.{name}" if path else name
            found[full] = _value(value)
        for name in module._non_persistent_buffers_set:
            found[f"{path}.{name}" if path else name] = _value(getattr(module, name))
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().tolist() if value.numel() <= 4096 else id(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {key: _value(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else id(value)
