"""explain: from a run to its filters, and its feature maps for chosen test pictures."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.data import sources
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.errors import DataError, RunError
from fashioncnn.explanation.feature_maps import feature_maps
from fashioncnn.explanation.filters import convolution_filters
from fashioncnn.explanation.learning import learning
from fashioncnn.explanation.maximisation import of_channels, of_classes
from fashioncnn.explanation.stages import stages
from fashioncnn.explanation.units import patches, units
from fashioncnn.recipes.build import build_preparation
from fashioncnn.reporting.facts import read_facts
from fashioncnn.reporting.figures import draw_explanations
from fashioncnn.runs import snapshots
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, read_arrays, to_json, write_arrays, write_text
from fashioncnn.training.state import load_network
from fashioncnn.workflows.trained import CheckpointName, Trained, open_trained

UNIT_PICTURES = 1000
UNITS_SHOWN, PATCHES_SHOWN = 10, 8


def explain(
    run: Run | Path | str,
    *,
    pictures: Sequence[int] = (),
    per_class: int = 1,
    checkpoint: CheckpointName = "best",
    data: Path | str | None = None,
) -> list[Path]:
    """Keep and draw filters, feature maps, what excites each channel, and what classes would like.

    `pictures` are positions in the test file; without them, the first `per_class` of each class.
    Returns the pictures drawn. Raises DataError for a position that is not there, RunError when
    the run cannot be used.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    trained = open_trained(run, checkpoint)
    source = sources.find(data)
    test = trained.pictures(source, "test", "pictures")
    indices = _choose(test, pictures, per_class)
    chosen = test.take(indices)
    images = as_uint8_NCHW(chosen.images_NHW, torch.device("cpu"))
    prepared_NCHW = build_preparation(trained.recipe)(images)
    maps = feature_maps(trained.network, prepared_NCHW)

    shown = stages(trained.network, maps)
    make_folder(run.explanations)
    write_arrays(run.explanations / "filters.npz", convolution_filters(trained.network))
    write_arrays(
        run.explanations / "pictures.npz",
        {
            "images": chosen.images_NHW,
            "labels": chosen.labels,
            "indices": indices,
            "probabilities": _probabilities(trained, prepared_NCHW),
            "stages": np.array(shown, np.str_),
            "checkpoint_sha256": np.array(trained.checkpoint_sha256),
        },
    )
    write_arrays(run.explanations / "feature_maps.npz", maps)
    _keep_units(trained, test)
    networks = _networks_by_epoch(trained)
    write_arrays(run.explanations / "learning.npz", learning(networks, prepared_NCHW[:1], shown))
    return draw_explanations(read_facts(run))


def _keep_units(trained: Trained, test: LabelledImages) -> None:
    """Keep what excites the channels that vary most, and which are dead or alike."""
    preparation = build_preparation(trained.recipe)
    several = test.take(np.arange(min(UNIT_PICTURES, len(test))))
    images = preparation(as_uint8_NCHW(several.images_NHW, torch.device("cpu")))
    images_NHW = images[:, 0].numpy()
    limits = [(grey - preparation.pixel_mean) / preparation.pixel_std for grey in (0.0, 1.0)]
    size = preparation.image_size
    arrays: dict[str, NDArray[Any]] = {
        "classes": of_classes(trained.network, test.classes, size, limits[0], limits[1])
    }
    facts = {}
    for layer, found in units(trained.network, images).items():
        varied = np.argsort(-found.peaks.std(axis=0), kind="stable")[:UNITS_SHOWN]
        channels = np.sort(varied)
        arrays[f"channels {layer}"] = channels
        arrays[f"patches {layer}"] = np.stack(
            [patches(found, images_NHW, channel, PATCHES_SHOWN) for channel in channels]
        )
        arrays[f"pleasing {layer}"] = of_channels(
            trained.network, layer, channels.tolist(), size, limits[0], limits[1]
        )
        facts[layer] = {
            "channels": found.peaks.shape[1],
            "dead": found.dead,
            "alike": found.alike,
            "field_pixels": found.field.size,
        }
    write_arrays(trained.run.explanations / "units.npz", arrays)
    write_text(
        trained.run.explanations / "units.json", to_json({"n": len(several), "layers": facts})
    )


@torch.no_grad()
def _probabilities(trained: Trained, images_NCHW: Tensor) -> NDArray[np.float32]:
    probabilities: NDArray[np.float32] = trained.network(images_NCHW).softmax(1).numpy()
    return probabilities


def _networks_by_epoch(trained: Trained) -> dict[int, nn.Module]:
    """Return the networks that predicted during the training, where the run has them, and now."""
    networks: dict[int, nn.Module] = {}
    kept = snapshots.load(trained.run.snapshots, trained.recipe.training.epochs)
    for epoch, weights in kept.items():
        if epoch < trained.checkpoint_epochs:
            networks[epoch] = copy.deepcopy(trained.network)
            load_network(networks[epoch], weights, "")
    return networks | {trained.checkpoint_epochs: trained.network}


def is_explained(trained: Trained) -> bool:
    """Say whether the run has whole explanations of these weights."""
    run = trained.run
    try:
        facts = read_arrays(run.explanations / "pictures.npz")
        read_arrays(run.explanations / "feature_maps.npz")
        read_arrays(run.explanations / "units.npz")
        read_arrays(run.explanations / "learning.npz")
        return str(facts["checkpoint_sha256"]) == trained.checkpoint_sha256
    except (RunError, KeyError):
        return False


def _choose(test: LabelledImages, pictures: Sequence[int], per_class: int) -> NDArray[np.int64]:
    for index in pictures:
        if not 0 <= index < len(test):
            raise DataError(f"picture {index}: test pictures are numbered 0 to {len(test) - 1}")
    if pictures:
        return np.array(pictures, np.int64)
    if not 1 <= per_class <= 10:
        raise DataError(f"per_class is {per_class}; it must be 1 to 10")
    return np.concatenate(
        [np.flatnonzero(test.labels == label)[:per_class] for label in range(test.classes)]
    )
