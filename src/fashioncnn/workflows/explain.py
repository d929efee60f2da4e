"""explain: from a run to its filters, and its feature maps for chosen test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.console.say import timed
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import DataError
from fashioncnn.explanation.feature_maps import feature_maps
from fashioncnn.explanation.filters import convolution_filters
from fashioncnn.explanation.learning import learning
from fashioncnn.explanation.maximisation import maximise
from fashioncnn.explanation.stages import stages
from fashioncnn.explanation.units import Units, patches, units
from fashioncnn.npz import Arrays
from fashioncnn.opening.data import Data
from fashioncnn.opening.epochs import networks_by_epoch
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import CheckpointName, Trained, open_trained
from fashioncnn.reporting.figures import draw
from fashioncnn.reporting.inside import inside
from fashioncnn.runs import artifacts
from fashioncnn.runs.artifact import Artifact
from fashioncnn.runs.contents import LayerUnits, UnitFacts
from fashioncnn.training.device import DeviceName, has_bf16
from fashioncnn.usercode.faults import user_code

UNIT_PICTURES = 1000
UNITS_SHOWN, PATCHES_SHOWN = 10, 8
EXPLANATIONS: tuple[Artifact[Any], ...] = (
    artifacts.EXPLAINED_PICTURES,
    artifacts.FEATURE_MAPS,
    artifacts.FILTERS,
    artifacts.LEARNING,
    artifacts.UNITS,
    artifacts.UNIT_FACTS,
)


@user_code()
def explain(
    run: AnyRun,
    *,
    pictures: Sequence[int] = (),
    per_class: int = 1,
    checkpoint: CheckpointName = "best",
    data: Data = None,
    device: DeviceName = "auto",
) -> list[Path]:
    """Keep and draw filters, feature maps, what each channel and class answers most strongly.

    `pictures` are positions in the test file; without them, the first `per_class` of each class.
    Returns the pictures drawn. Raises DataError for a position that is not there, RunError when
    the run cannot be used.
    """
    trained = open_trained(run, checkpoint, data, device)
    explain_trained(trained, pictures, per_class)
    return draw(inside(trained.kept, trained.class_names), trained.run.figures_folder)


def explain_trained(trained: Trained, pictures: Sequence[int] = (), per_class: int = 1) -> None:
    """Keep what is seen inside an opened network; see `explain`."""
    explain_layers(trained, pictures, per_class)
    explain_units(trained)


@timed("explaining filters and feature maps")
def explain_layers(trained: Trained, pictures: Sequence[int] = (), per_class: int = 1) -> None:
    """Keep filters, and what each layer makes of chosen pictures; a matter of a second."""
    test = trained.pictures("test", "pictures")
    indices = _choose(test, pictures, per_class)
    chosen = test.take(indices)
    prepared_NCHW = trained.prepared(chosen.images_NHWC)
    maps = feature_maps(trained.network, prepared_NCHW)
    shown = stages(trained.network, maps)
    networks = networks_by_epoch(trained)
    kept = trained.kept
    kept.put(artifacts.FILTERS, convolution_filters(trained.network))
    kept.put(artifacts.FEATURE_MAPS, maps)
    explained: Arrays = {
        "images": chosen.images_NHWC,
        "labels": chosen.labels,
        "indices": indices,
        "probabilities": _probabilities(trained.network, prepared_NCHW),
        "stages": np.array(shown, np.str_),
    }
    kept.put(artifacts.EXPLAINED_PICTURES, explained)
    kept.put(artifacts.LEARNING, learning(networks, prepared_NCHW[:1], shown))


@timed("explaining single channels")
def explain_units(trained: Trained) -> None:
    """Keep what excites the channels that vary most, and which are dead or alike; some seconds."""
    # What `explain_layers` has asked for, and was counted there.
    test, preparation = trained.data.test, trained.preparation
    several = test.take(np.arange(min(UNIT_PICTURES, len(test))))
    images = trained.prepared(several.images_NHWC)
    found = units(trained.network, images)
    channels = {layer: _most_varied(one) for layer, one in found.items()}
    of_classes, of_channels = maximise(
        trained.network,
        test.classes,
        {layer: chosen.tolist() for layer, chosen in channels.items()},
        (test.shape.channels, *preparation.image_size),
        (preparation.of_grey(0.0), preparation.of_grey(1.0)),
        bf16=has_bf16("cpu"),
    )
    arrays: Arrays = {"classes": of_classes}
    images_NHWC = preparation.undo(images)
    for layer, one in found.items():
        arrays[f"channels {layer}"] = channels[layer]
        arrays[f"patches {layer}"] = np.stack(
            [patches(one, images_NHWC, channel, PATCHES_SHOWN) for channel in channels[layer]]
        )
        arrays[f"preferred {layer}"] = of_channels[layer]
    trained.kept.put(artifacts.UNITS, arrays)
    layers = {
        layer: LayerUnits(one.peaks.shape[1], one.dead, one.alike, one.field.size)
        for layer, one in found.items()
    }
    trained.kept.put(artifacts.UNIT_FACTS, UnitFacts(len(several), layers))


def is_explained(trained: Trained) -> bool:
    """Say whether the run has whole explanations of these weights."""
    return all(trained.kept.get(artifact) is not None for artifact in EXPLANATIONS)


def _most_varied(found: Units) -> NDArray[np.int64]:
    varied = np.argsort(-found.peaks.std(axis=0), kind="stable")[:UNITS_SHOWN]
    return np.sort(varied)


@torch.no_grad()
def _probabilities(network: nn.Module, images_NCHW: Tensor) -> NDArray[np.float32]:
    probabilities: NDArray[np.float32] = network(images_NCHW).softmax(1).numpy()
    return probabilities


def _choose(test: LabelledImages, pictures: Sequence[int], per_class: int) -> NDArray[np.int64]:
    chosen = np.atleast_1d(np.asarray(pictures))
    for index in chosen:
        if chosen.dtype.kind not in "iu" or not 0 <= index < len(test):
            raise DataError(f"picture {index}: test pictures are numbered 0 to {len(test) - 1}")
    if len(chosen):
        return chosen.astype(np.int64)
    if not 1 <= per_class <= 10:
        raise DataError(f"per_class is {per_class}; it must be 1 to 10")
    return np.concatenate(
        [np.flatnonzero(test.labels == label)[:per_class] for label in range(test.classes)]
    )
