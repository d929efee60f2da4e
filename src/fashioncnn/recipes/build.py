"""From a recipe to objects: the only place where configuration meets constructors."""

from __future__ import annotations

import functools
import itertools
import math

import torch
from torch import nn

from fashioncnn.data.augmentations.own import own_augmentation
from fashioncnn.data.augmentations.pipeline import AugmentationPipeline
from fashioncnn.data.batches import Batches
from fashioncnn.data.images import LabelledImages, joined
from fashioncnn.data.preparation import Preparation
from fashioncnn.data.randomness import stream_seed
from fashioncnn.data.resizing import ProgressiveResizing
from fashioncnn.data.selection import Selection
from fashioncnn.data.splits import Splits, split
from fashioncnn.models.ensemble import Ensemble
from fashioncnn.recipes.schema import Recipe
from fashioncnn.training.averaging import MovingAverage
from fashioncnn.training.known_losses import KnownLosses
from fashioncnn.training.loop import Freezing, Training
from fashioncnn.training.losses.outlier_exposure import OutlierExposure
from fashioncnn.training.processes import Processes
from fashioncnn.training.state import TrainingState


def build_splits(
    recipe: Recipe, pictures: LabelledImages, validation: LabelledImages | None = None
) -> Splits:
    """Set the recipe's validation pictures aside, or take those that the data set brings.

    A recipe without validation trains on all.
    """
    wanted = recipe.data.validation_images
    if validation is None:
        return split(pictures, validation_images=wanted, seed=recipe.data.split_seed)
    if wanted:
        return Splits(pictures, validation, None)
    everything = joined([pictures, validation])
    return split(everything, validation_images=0, seed=recipe.data.split_seed)


def build_preparation(recipe: Recipe) -> Preparation:
    """Return how the recipe prepares pictures."""
    data = recipe.data
    return Preparation(data.size, _each_channel(data.pixel_mean), _each_channel(data.pixel_std))


def _each_channel(value: float | tuple[float, ...] | str) -> tuple[float, ...]:
    if isinstance(value, str):
        raise ValueError(f"{value!r} is known when the pictures are: see recipes.fit")
    return value if isinstance(value, tuple) else (value,)


def build_augmentation(recipe: Recipe, class_names: tuple[str, ...]) -> AugmentationPipeline:
    """Return the recipe's augmentation, its class names turned into labels."""
    table = recipe.augmentation
    by_class = {
        class_names.index(name): changed for name, changed in table.strengths_by_class().items()
    }
    own = {address: own_augmentation(recipe.code, address) for address in table.own}
    return AugmentationPipeline(table.strengths(), by_class, table.alternating_flip, own)


def build_selection(recipe: Recipe) -> Selection | None:
    """Return which pictures the recipe's epochs have, None where they have all."""
    return Selection(**recipe.selection.model_dump()) if recipe.selection else None


def build_resizing(recipe: Recipe) -> ProgressiveResizing | None:
    """Return how small the recipe's first pictures are, None where all have their size."""
    table = recipe.progressive_resizing
    if table is None:
        return None
    shares = itertools.accumulate(table.epoch_shares)
    ends = [_epochs(recipe, share) for share in shares]
    return ProgressiveResizing(table.image_sizes(recipe.data.size), tuple(ends))


def build_freezing(recipe: Recipe) -> Freezing | None:
    """Return when the recipe lets which stages rest, None where all learn to the end."""
    table = recipe.freezing
    if table is None:
        return None
    return Freezing(max(1, _epochs(recipe, table.after_share)), table.stages)


def _epochs(recipe: Recipe, share: float) -> int:
    # Rounded first: 0.7 of 10 may be 6.999 in binary. One epoch at least is left.
    epochs = recipe.training.epochs
    return min(math.floor(round(share * epochs, 6)), epochs - 1)


def build_network(recipe: Recipe, classes: int, channels: int = 1) -> nn.Module:
    """Return the recipe's network for pictures of `channels`, with fresh weights.

    It is in channels-last order, unless it is a user's own that cannot be.

    The weights follow from torch's own random state; see `build_state`.
    """
    members = [
        recipe.model.build(in_channels=channels, image_size=recipe.data.size, classes=classes)
        for _ in range(recipe.model.members)
    ]
    network = Ensemble(members) if len(members) > 1 else members[0]
    if recipe.model.lays_out_itself:
        return network
    # Keyword form: mypy knows no positional overload for memory formats.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def build_state(
    recipe: Recipe,
    classes: int,
    seed: int,
    device: torch.device,
    image_count: int = 0,
    channels: int = 1,
) -> TrainingState:
    """Return network, optimiser, average and the losses of the training pictures at the start.

    Seeds torch's own generators, which initialisation and dropout draw from.
    """
    torch.manual_seed(stream_seed(seed, "network") >> 1)
    network = build_network(recipe, classes, channels).to(device)
    optimizer = recipe.optimizer.build(network)
    decay = recipe.averaging.ema_decay
    average = MovingAverage(network, decay) if decay else None
    losses = KnownLosses(image_count, device) if recipe.selection else None
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
        selection=build_selection(recipe),
        resizing=build_resizing(recipe),
        shuffle=recipe.training.shuffle,
        rank=processes.rank,
        processes=processes.count,
    )
    loss = recipe.loss.build(splits.train.class_names)
    counterexamples = batches.augmentation.makes_counterexamples
    schedule = recipe.schedule
    factor = functools.partial(
        schedule.factor,
        total_steps=batches.steps_before(recipe.training.epochs),
        warmup_steps=math.ceil(schedule.warmup_epochs * batches.steps(0)),
    )
    return Training(
        processes,
        batches,
        splits.validation,
        (OutlierExposure(loss) if counterexamples else loss).to(device),
        factor,
        recipe.training.epochs,
        build_freezing(recipe),
        # Neither what a user's own code does on the host nor another number of pictures would be
        # replayed.
        recordable=not recipe.code and not counterexamples,
    )
