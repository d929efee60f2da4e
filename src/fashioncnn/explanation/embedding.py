"""Pictures laid out on a map, so that those which the network finds alike lie together."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.models.ensemble import members_of
from fashioncnn.models.parts import check_used, parts_of

BATCH = 250
PERPLEXITY = 30
# Half of the usual steps, and coarser sums over distant places, keep the same neighbours together
# in half of the time (docs/lab-notes.md).
EXAGGERATED_STEPS, STEPS = 100, 300
ANGLE = 0.8
# With fewer pictures, threads wait for each other longer than they work.
FEWEST_FOR_THREADS = 1000


@torch.no_grad()
def features(network: nn.Module, images_NCHW: Tensor) -> NDArray[np.float32]:
    """Return what the last layer is given, (n, features), for prepared pictures.

    Of an ensemble, what its members' last layers are given, side by side.
    """
    outputs = [parts_of(member).head for member in members_of(network)]
    given: dict[nn.Module, list[Tensor]] = {output: [] for output in outputs}

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given[module].append(inputs[0].float().flatten(1).clone())

    hooks = [output.register_forward_pre_hook(keep) for output in outputs]
    try:
        network.eval()
        for start in range(0, len(images_NCHW), BATCH):
            network(images_NCHW[start : start + BATCH])
    finally:
        for hook in hooks:
            hook.remove()
    for output in outputs:
        check_used(output, {layer for layer, inputs in given.items() if inputs})
    return np.asarray(torch.cat([torch.cat(given[one]) for one in outputs], 1).numpy(), np.float32)


def place(features_NF: NDArray[np.float32], seed: int = 0) -> NDArray[np.float64]:
    """Return places (n, 2) on a map: t-SNE (van der Maaten and Hinton, JMLR 9, 2008), by openTSNE.

    Near means alike; how far apart distant groups lie, and how large they are, means nothing.
    """
    from openTSNE import TSNE

    perplexity = min(PERPLEXITY, (len(features_NF) - 1) / 3)
    layout = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=EXAGGERATED_STEPS,
        n_iter=STEPS,
        theta=ANGLE,
        random_state=seed,
        n_jobs=-1 if len(features_NF) >= FEWEST_FOR_THREADS else 1,
    )
    return np.asarray(layout.fit(features_NF), np.float64)
