"""How filters and feature maps came about: the same ones after several epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.explanation.feature_maps import feature_maps
from fashioncnn.explanation.filters import convolution_filters

FILTERS, CHANNELS = 10, 4


def learning(
    networks: Mapping[int, nn.Module], image_1CHW: Tensor, stages: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Return what `networks`, by epoch, have in their first filters and make of one picture.

    "epochs" (k,); "filters" (k, filters, h, w), those of the first convolution that changed most;
    for up to three of the `stages` "maps <name>" (k, channels, h, w), the channels that answer the
    picture most strongly at the end, and their numbers as "channels <name>".
    """
    filters = np.stack([_first_filters(network) for network in networks.values()])
    changed = np.argsort(-np.abs(filters[-1] - filters[0]).sum((1, 2)), kind="stable")[:FILTERS]
    found: dict[str, NDArray[Any]] = {
        "epochs": np.array(list(networks)),
        "filters": filters[:, np.sort(changed)],
    }
    answers = [feature_maps(network, image_1CHW) for network in networks.values()]
    spatial = [name for name in stages if answers[-1][name].ndim == 4]
    for at in sorted({0, len(spatial) // 2, len(spatial) - 1}) if spatial else ():
        name = spatial[at]
        maps = np.concatenate([answer[name] for answer in answers])
        strongest = np.argsort(-maps[-1].mean((1, 2)), kind="stable")[:CHANNELS]
        found[f"channels {name}"] = strongest
        found[f"maps {name}"] = maps[:, strongest]
    return found


def _first_filters(network: nn.Module) -> NDArray[Any]:
    """Return the first convolution's filters (n, h, w), the mean over its input; n is 0 if none."""
    for weights in convolution_filters(network).values():
        return np.asarray(weights.mean(1))
    return np.zeros((0, 1, 1), np.float32)
