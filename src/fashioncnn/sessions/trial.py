"""One step of training with a user's own code, before anything is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from fashioncnn.console.say import say
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.errors import CodeError
from fashioncnn.models.ensemble import for_each_member
from fashioncnn.models.unregistered import unregistered
from fashioncnn.recipes.build import (
    build_augmentation,
    build_preparation,
    build_resizing,
    build_state,
)
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints
from fashioncnn.training.losses.own import OwnLoss
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.modules import require


def try_own_code(recipe: Recipe, pictures: LabelledImages) -> None:
    """Take one step with two pictures, so that faults are told before anything is written.

    Raises TrustError, CodeError.
    """
    require(recipe.code, recipe.addresses)
    processor = torch.device("cpu")
    few = pictures.take(np.arange(2))
    with torch.random.fork_rng(), user_code(f"a step with {', '.join(recipe.addresses)}"):
        state = build_state(recipe, few.classes, 0, processor, channels=few.shape.channels)
        _try_small_pictures(recipe, state.network.eval(), few)
        criterion = recipe.loss.build(few.class_names)
        _find_lost(recipe, state.network, criterion)
        recipe.schedule.factor(0, total_steps=2, warmup_steps=0)
        labels_N = torch.as_tensor(few.labels)
        raw_NCHW = as_uint8_NCHW(few.images_NHWC, processor)
        pipeline = build_augmentation(recipe, few.class_names)
        size = (few.shape.height, few.shape.width)
        draws = pipeline.draw(labels_N, size, torch.Generator(), processor)
        images = build_preparation(recipe)(draws.change_pixels(raw_NCHW, slice(None)))
        answers = state.network.train()(images)
        if not isinstance(answers, Tensor):
            raise CodeError(
                f"in training {recipe.addresses[0]} answers a {type(answers).__name__}; it must "
                "be one tensor of logits"
            )
        loss = criterion(answers, for_each_member(labels_N, answers))
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        checkpoints.pack(state.tensors())


def _find_lost(recipe: Recipe, network: nn.Module, criterion: nn.Module) -> None:
    """Raise CodeError for what learns in vain, and say what a resumed training would lack."""
    for found in unregistered(network):
        where = f"{recipe.addresses[0]}: {found.path}"
        raise CodeError(f"{where} is {found.fault}; {found.remedy}")
    if not isinstance(criterion, OwnLoss) or not isinstance(criterion.function, nn.Module):
        return
    if any(one.requires_grad for one in criterion.function.parameters()):
        raise CodeError(
            f"{criterion.address} has weights of its own, which the optimiser is not given; put "
            "them into the network"
        )
    if any(True for _ in criterion.function.buffers()):
        say(f"{criterion.address} keeps buffers, which are not saved: --resume begins them anew")


def _try_small_pictures(recipe: Recipe, network: nn.Module, few: LabelledImages) -> None:
    resizing = build_resizing(recipe)
    raw_NCHW = as_uint8_NCHW(few.images_NHWC, torch.device("cpu"))
    for height, width in resizing.image_sizes if resizing else ():
        preparation = replace(build_preparation(recipe), image_size=(height, width))
        try:
            with torch.no_grad():
                network(preparation(raw_NCHW))
        except Exception as error:
            said = str(error).partition("\n")[0][:200] or type(error).__name__
            raise CodeError(
                f"progressive_resizing: {recipe.addresses[0]} cannot take pictures of {height} x "
                f"{width}: {said}"
            ) from None
