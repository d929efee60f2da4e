"""What a network takes, and the built-in recipes to set it beside."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.benchmarking.cost import prediction_macs
from fashioncnn.benchmarking.latency import measure_calls
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.models.ensemble import for_each_member
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load

BATCH, TIMED_SECONDS = 64, 1.0
WARM_UP_STEPS = 2


@dataclass(frozen=True)
class Facts:
    """What a network takes, on this machine's processor, in fp32, in batches of 64.

    `step_bytes` are kept by a training step for the way back.
    """

    parameters: int
    weight_bytes: int
    macs: int
    step_bytes: int
    trained_images_per_second: float
    predicted_images_per_second: float


@dataclass(frozen=True)
class Rung:
    """A built-in recipe: its size here; accuracy on test, seconds and where, as promised."""

    recipe: str
    parameters: int
    test_accuracy_percent: float | None
    seconds: float | None
    hardware: str | None


def facts_of(subject: NetworkSubject, shape: Shape) -> Facts:
    """Measure the network for about two seconds."""
    network, preparation = subject.make(), build_preparation(subject.recipe)
    weights = list(network.parameters())

    def predict(images_NHWC: NDArray[np.uint8]) -> None:
        with torch.inference_mode():
            network(preparation(as_uint8_NCHW(images_NHWC, torch.device("cpu"))))

    network.eval()
    return Facts(
        parameters=sum(one.numel() for one in weights),
        weight_bytes=sum(one.numel() * one.element_size() for one in weights),
        macs=prediction_macs(network, preparation, shape),
        step_bytes=_step_bytes(network, subject.images_NCHW[:BATCH]),
        trained_images_per_second=_trained_a_second(subject),
        predicted_images_per_second=measure_calls(predict, shape, BATCH, TIMED_SECONDS)[
            "images_per_second"
        ],
    )


def ladder(data: DataSet) -> tuple[Rung, ...]:
    """Return the built-in recipes, the smallest network first."""
    rungs = []
    for name in builtin_names():
        recipe = load(name)
        network = build_network(recipe, data.train.classes, data.shape.channels)
        promise = recipe.promise if data.is_fashion_mnist else None
        rungs.append(
            Rung(
                name,
                sum(one.numel() for one in network.parameters()),
                promise.test_accuracy_percent if promise else None,
                promise.seconds if promise else None,
                promise.hardware if promise else None,
            )
        )
    return tuple(sorted(rungs, key=lambda one: one.parameters))


def _step_bytes(network: nn.Module, images_NCHW: Tensor) -> int:
    weights = {one.data_ptr() for one in network.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answers = network.train()(images_NCHW)
    network.eval()
    del answers
    return sum(kept.values())


def _trained_a_second(subject: NetworkSubject) -> float:
    network = subject.make().train()
    optimizer = subject.recipe.optimizer.build(network)
    criterion = subject.recipe.loss.build(subject.class_names)
    images, labels = subject.images_NCHW[:BATCH], subject.labels_N[:BATCH]
    steps, started = -WARM_UP_STEPS, time.perf_counter()
    while steps < 1 or time.perf_counter() - started < TIMED_SECONDS:
        answers = network(images)
        optimizer.zero_grad()
        criterion(answers, for_each_member(labels, answers)).backward()
        optimizer.step()
        steps += 1
        if steps == 0:
            started = time.perf_counter()
    return len(images) * steps / (time.perf_counter() - started)
