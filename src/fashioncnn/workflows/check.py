"""check: what a teacher would look at in a network, optimiser, … of the user's own."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from fashioncnn.checking import augmentation, loss, network, optimizer, schedule
from fashioncnn.checking.facts import Facts, Rung, facts_of, ladder
from fashioncnn.checking.finding import Finding, Verdict, look
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.console.say import say
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.errors import CodeError, DataError, FashionCNNError, RecipeError
from fashioncnn.opening.data import Data, open_data
from fashioncnn.recipes.build import build_augmentation, build_preparation
from fashioncnn.recipes.fit import fit
from fashioncnn.recipes.load import Changes, load, validate
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.directory import Run
from fashioncnn.usercode.faults import in_words, told_by_lines
from fashioncnn.usercode.modules import source_of
from fashioncnn.usercode.part import OwnPart
from fashioncnn.usercode.source import parse, read_text
from fashioncnn.workflows.train import train

Part = Literal["network", "optimizer", "schedule", "loss", "augmentation"]
PARTS: tuple[Part, ...] = get_args(Part)
PICTURES = 512
TRAINING_SECONDS = 60.0
MOST_EPOCHS = 200


@dataclass(frozen=True)
class Checked:
    """Findings by what was looked at; where that is a network, facts and the built-in recipes.

    `trained` is a run of about a minute, and `accuracy` its best on validation, 0 to 1.
    """

    parts: dict[str, tuple[Finding, ...]]
    facts: Facts | None = None
    ladder: tuple[Rung, ...] = ()
    trained: Run | None = None
    accuracy: float | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        found = {one.verdict for findings in self.parts.values() for one in findings}
        return "bad" if "bad" in found else "note" if "note" in found else "good"


def check(
    target: str | Path,
    *,
    what: Part = "network",
    changes: Changes = (),
    data: Data = None,
    train_minute: bool = False,
    out: Path | str = Path("runs"),
) -> Checked:
    """Look at what `target` has of the user's own, without training it.

    `target` is a recipe (its own parts are looked at, or its network where it has none), a Python
    file (then the recipe of the same name beside it, if there is one), or `file.py:Name`, which is
    the `what` that it is. With `train_minute`, the network is trained for about a minute, into
    `out`. What is wrong is among the findings; raises DataError without data, and FashionCNNError
    where `target` is nothing at all.
    """
    if what != "network" and str(target).endswith(".py"):
        raise CodeError(f"{target} is looked at as a {what}: say which, as in {target}:Name")
    try:
        recipe = _recipe(str(target), what, changes)
        opened = open_data(data)
        recipe, _ = fit(recipe, opened)
        parts = dict(_parts(recipe))
    except DataError:
        raise
    except FashionCNNError as error:
        if not Path(str(target).partition(":")[0]).is_file():
            raise
        return Checked({str(target): (Finding("Can be read", "bad", str(error)),)})
    subject = _subject(recipe, opened)
    found = {}
    for name, look_at in parts.items():
        say(f"looking at {name}")
        with torch.random.fork_rng():
            found[name] = tuple(_safely(look_at, subject))
    is_network = any(look_at is _look_at_network for look_at in parts.values())
    checked = Checked(found)
    if not is_network or not _can_run(found):
        return checked
    with torch.random.fork_rng():
        checked = Checked(found, facts_of(subject, opened.shape), ladder(opened))
    return _with_training(checked, recipe, opened, Path(out)) if train_minute else checked


def _recipe(target: str, what: Part, changes: Changes) -> Recipe:
    """Return the recipe to look at: the one named, the one beside a file, or one made for it."""
    file, _, name = target.partition(":")
    if not file.endswith(".py"):
        return load(target, changes)
    beside = Path(file).with_suffix(".toml")
    if not name and beside.is_file() and f"{Path(file).name}:" in read_text(beside):
        return load(beside, changes)
    address = f"{file}:{name or _only_network(Path(file))}"
    empty = {"name": "check", "model": {"family": "plain-cnn", "channels": [16, 32]}}
    empty["model"] |= {"hidden_features": [64]}  # type: ignore[operator]
    table = {"network": "model.family", "augmentation": f'augmentation.own."{address}"'}
    key = table.get(what, f"{what}.name")
    made = load(validate(empty, "check"), {key: 0.5 if what == "augmentation" else address})
    return load(made, changes)


def _only_network(file: Path) -> str:
    """Return the class in `file` that is a network, and is not used by another one."""
    tree = parse(read_text(file), file)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    networks = [name for name in classes if _has_forward(name, classes)]
    used = {
        one.id
        for node in classes.values()
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id != node.name
    }
    whole = [name for name in networks if name not in used]
    if len(whole) == 1:
        return whole[0]
    if not networks:
        raise RecipeError(f"{file} has no class with a forward: name one, as {file}:MyNet")
    names = ", ".join(whole or networks)
    raise RecipeError(f"{file} has {names}: say which, as {file}:{networks[-1]}")


def _has_forward(name: str, classes: dict[str, ast.ClassDef], depth: int = 9) -> bool:
    """Say whether a class, or one in the file that it is made from, has a forward."""
    if name not in classes or not depth:
        return False
    node = classes[name]
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return any(isinstance(one, ast.FunctionDef) and one.name == "forward" for one in node.body) or (
        any(_has_forward(base, classes, depth - 1) for base in bases)
    )


Look = Callable[[NetworkSubject], Sequence[Finding]]


def _parts(recipe: Recipe) -> Iterator[tuple[str, Look]]:
    """Yield what to look at, by name: the user's own parts, else the network."""
    looks: list[tuple[Any, Look]] = [
        (recipe.model, _look_at_network),
        (recipe.optimizer, _look_at_optimizer),
        (recipe.schedule, lambda subject: look(schedule.CHECKS, subject.recipe.schedule)),
        (recipe.loss, _look_at_loss),
    ]
    own = [(part.address, look_at) for part, look_at in looks if isinstance(part, OwnPart)]
    own += [
        (address, partial(_look_at_augmentation, address=address))
        for address in recipe.augmentation.own
    ]
    yield from own or [(recipe.model.family, _look_at_network)]


def _look_at_network(subject: NetworkSubject) -> Sequence[Finding]:
    """Look whether it is made at all, and if it is at everything else."""

    def made(subject: NetworkSubject) -> None:
        """Is made, and answers two pictures with a number for each class."""
        subject.make()

    first = look([made], subject)
    return first if first[0].verdict == "bad" else first + look(network.CHECKS, subject)


def _look_at_optimizer(subject: NetworkSubject) -> Sequence[Finding]:
    return look(optimizer.CHECKS, optimizer.OptimizerSubject(subject))


def _look_at_loss(subject: NetworkSubject) -> Sequence[Finding]:
    made = subject.recipe.loss.build(subject.class_names)
    return look(loss.CHECKS, loss.LossSubject(made, subject.classes))


def _look_at_augmentation(subject: NetworkSubject, address: str) -> Sequence[Finding]:
    recipe = subject.recipe
    made = build_augmentation(recipe, subject.class_names).own[address]
    strength = recipe.augmentation.own[address]
    looked_at = augmentation.AugmentationSubject(made, strength, subject.raw_NCHW)
    return look(augmentation.checks_of(made), looked_at)


def _subject(recipe: Recipe, data: DataSet) -> NetworkSubject:
    pictures = data.train
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    chosen = pictures.take(order[:PICTURES].numpy())
    raw = as_uint8_NCHW(chosen.images_NHWC, torch.device("cpu"))
    return NetworkSubject(
        recipe,
        source_of(recipe.code) if recipe.code else None,
        raw,
        build_preparation(recipe)(raw),
        torch.as_tensor(chosen.labels),
        pictures.class_names,
    )


def _safely(look_at: Look, subject: NetworkSubject) -> Sequence[Finding]:
    """Look; what cannot even be made is a finding, too."""
    try:
        return look_at(subject)
    except Exception as error:
        told = str(error) if isinstance(error, FashionCNNError) else told_by_lines(error)
        return [Finding("Is made", "bad", told or in_words(error))]


def _can_run(found: dict[str, tuple[Finding, ...]]) -> bool:
    return all(one.verdict != "bad" for findings in found.values() for one in findings)


def _with_training(checked: Checked, recipe: Recipe, data: DataSet, out: Path) -> Checked:
    """Train for about a minute, validation pictures set aside, and add what came of it."""
    assert checked.facts is not None
    kept = len(data.train)
    if data.validation is None:
        kept -= recipe.data.validation_images
    whole = checked.facts.trained_images_per_second * TRAINING_SECONDS / kept
    fewest = int(recipe.schedule.warmup_epochs) + 1
    epochs = min(max(fewest, int(whole)), MOST_EPOCHS)
    changed = load(recipe, {"training.epochs": epochs, "name": f"check-{recipe.name}"[:64]})
    run = train(changed, data=data, out=out)
    best = [record["val/accuracy"] for record in run.metrics if record["val/accuracy"] is not None]
    return Checked(checked.parts, checked.facts, checked.ladder, run, max(best, default=None))
