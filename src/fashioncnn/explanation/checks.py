"""Do maps of attribution tell anything? Two checks, and the curves behind the second."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.explanation.attribution import Maps, attributions, edges, random_maps, randomised
from fashioncnn.explanation.map_check import MapCheck

CURVE_STEPS = 20
BASELINES = ("edges", "random")


def check_maps(
    network: nn.Module, images_NCHW: Tensor, classes: Tensor, black: Tensor, seed: int = 0
) -> dict[str, MapCheck]:
    """Check every method on prepared pictures, for `classes` (n,), beside edges and noise."""
    # Half a second to import, and few ask for it.
    from scipy import stats

    maps = attributions(network, images_NCHW, classes, black)
    control = attributions(randomised(network, seed), images_NCHW, classes, black)
    known_to_no_network = {"edges": edges(images_NCHW), "random": random_maps(images_NCHW, seed)}
    curves = {
        name: (
            _curve(network, images_NCHW, classes, one, black, delete=True),
            _curve(network, images_NCHW, classes, one, black, delete=False),
        )
        for name, one in (maps | known_to_no_network).items()
    }
    inserted = {name: insertion.mean(1) for name, (_, insertion) in curves.items()}
    bar = inserted[max(BASELINES, key=lambda name: float(inserted[name].mean()))]
    # Most of a picture is black ground, where any map says nothing, whatever the weights.
    shown = (images_NCHW != black).any(1).numpy()
    found = {}
    for name, (deletion, insertion) in curves.items():
        gain = inserted[name] - bar
        asks = name in maps
        # One picture does not say how far others differ.
        half = (
            float(stats.sem(gain)) * float(stats.t.ppf(0.975, len(gain) - 1))
            if len(gain) > 1
            else None
        )
        found[name] = MapCheck(
            similarity=_similarity(maps[name], control[name], shown) if asks else None,
            deletion=float(deletion.mean()),
            insertion=float(insertion.mean()),
            deletion_curve=tuple(map(float, deletion.mean(0))),
            insertion_curve=tuple(map(float, insertion.mean(0))),
            gain=float(gain.mean()) if asks else None,
            gain_low=float(gain.mean()) - half if asks and half is not None else None,
        )
    return found


def _similarity(maps: Maps, control: Maps, shown: NDArray[np.bool_]) -> float:
    """Return the mean Spearman correlation of absolute values over each picture's `shown` pixels.

    A map that is the same everywhere is like no other.
    """
    from scipy import stats

    found = []
    for one, other, where in zip(np.abs(maps), np.abs(control), shown, strict=True):
        ranks, other_ranks = stats.rankdata(one[where]), stats.rankdata(other[where])
        varied = len(ranks) > 1 and ranks.std() > 0 and other_ranks.std() > 0
        found.append(float(np.corrcoef(ranks, other_ranks)[0, 1]) if varied else 0.0)
    return float(np.mean(found))


@torch.no_grad()
def _curve(
    network: nn.Module,
    images_NCHW: Tensor,
    classes: Tensor,
    maps: Maps,
    black: Tensor,
    *,
    delete: bool,
) -> NDArray[np.float64]:
    """Return (n, steps + 1): the class's probability as pixels go, or come, by importance."""
    count, pixels = len(maps), maps[0].size
    order = np.argsort(-maps.reshape(count, -1), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(pixels)[None].repeat(count, 0), axis=1)
    rank_N1HW = torch.from_numpy(rank.reshape(count, 1, *images_NCHW.shape[2:]))
    columns = []
    for step in range(CURVE_STEPS + 1):
        important = rank_N1HW < step / CURVE_STEPS * pixels
        shown = important.logical_not() if delete else important
        logits = network(torch.where(shown, images_NCHW, black))
        chosen = logits.double().softmax(1).gather(1, classes[:, None])[:, 0]
        columns.append(chosen.numpy())
    return np.stack(columns, axis=1)
