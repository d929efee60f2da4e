"""From a recipe to objects: the only place where configuration meets constructors."""

from __future__ import annotations

import functools
import math

import torch
from torch import nn

from fashioncnn.data.augmentation import Augmentation
from fashioncnn.data.batches import Batches
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.data.randomness import stream_seed
from fashioncnn.data.selection import Selection
from fashioncnn.data.splits import Splits, split
from fashioncnn.models import MODELS
from fashioncnn.models.ensemble import Ensemble
from fashioncnn.recipes.schema import Recipe
from fashioncnn.training.averaging import MovingAverage
from fashioncnn.training.loop import Training
from fashioncnn.training.losses import KnownLosses
from fashioncnn.training.optimizers import OPTIMIZERS, OptimizerSettings
from fashioncnn.training.processes import Processes
from fashioncnn.training.schedules import learning_rate_factor
from fashioncnn.training.state import TrainingState


def build_splits(recipe: Recipe, pictures: LabelledImages) -> Splits:
    """Set the recipe's validation pictures aside."""
    return split(
        pictures, validation_images=recipe.data.validation_images, seed=recipe.data.split_seed
    )


def build_preparation(recipe: Recipe) -> Preparation:
    """Return how the recipe prepares pictures."""
    return Preparation(recipe.data.image_size, recipe.data.pixel_mean, recipe.data.pixel_std)


def build_augmentation(recipe: Recipe, class_names: tuple[str, ...]) -> Augmentation:
    """Return the recipe's augmentation, its class names turned into labels."""
    table = recipe.augmentation
    return Augmentation(
        table.model_dump(exclude={"by_class", "alternating_flip"}),
        {
            class_names.index(name): changed.model_dump(exclude_none=True)
            for name, changed in table.by_class.items()
        },
        table.alternating_flip,
    )


def build_network(recipe: Recipe, classes: int) -> nn.Module:
    """Return the recipe's network, in channels-last order, with fresh weights.

    The weights follow from torch's own random state; see `build_state`.
    """
    table = recipe.model
    make = functools.partial(
        MODELS[table.family],
        image_size=recipe.data.image_size,
        classes=classes,
        **table.model_dump(exclude={"family", "members"}),
    )
    members = [make() for _ in range(table.members)]
    network = Ensemble(members) if len(members) > 1 else members[0]
    # Keyword form: mypy knows no positional overload for memory formats.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def build_state(
    recipe: Recipe, classes: int, seed: int, device: torch.device, images: int = 0
) -> TrainingState:
    """Return network, optimiser, average and the losses of `images` pictures at the start.

    Seeds torch's own generators, which initialisation and dropout draw from.
    """
    torch.manual_seed(stream_seed(seed, "network") >> 1)
    network = build_network(recipe, classes).to(device)
    table = recipe.optimizer
    settings = OptimizerSettings(**table.model_dump(exclude={"name"}))
    optimizer = OPTIMIZERS[table.name](network, settings)
    decay = recipe.averaging.ema_decay
    average = MovingAverage(network, decay) if decay else None
    losses = KnownLosses(images, device) if recipe.selection else None
    return TrainingState(network, optimizer, average, device, losses)


def build_training(recipe: Recipe, splits: Splits, seed: int, processes: Processes) -> Training:
    """Return the recipe's training on `splits`. Raises RecipeError as Batches does."""
    device = processes.fabric.device
    batches = Batches(
        splits.train,
        build_preparation(recipe),
        build_augmentation(recipe, splits.train.class_names),
        recipe.training.batch_size,
        seed,
        device,
        Selection(**recipe.selection.model_dump()) if recipe.selection else None,
        processes.rank,
        processes.count,
    )
    schedule = recipe.schedule
    factor = functools.partial(
        learning_rate_factor,
        schedule.name,
        total_steps=batches.steps_before(recipe.training.epochs),
        warmup_steps=math.ceil(schedule.warmup_epochs * batches.steps(0)),
        initial_factor=schedule.initial_factor,
        final_factor=schedule.final_factor,
    )
    return Training(
        processes,
        batches,
        splits.validation,
        build_loss(recipe, splits.train.class_names).to(device),
        lambda step: factor(step=step),
        recipe.training.epochs,
    )


def build_loss(recipe: Recipe, class_names: tuple[str, ...]) -> nn.Module:
    """Return the cross-entropy with the recipe's class weights and smoothing."""
    weights = recipe.loss.class_weights
    weight = torch.tensor([weights.get(name, 1.0) for name in class_names]) if weights else None
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=recipe.loss.label_smoothing)
