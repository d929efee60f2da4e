"""Pictures laid out on a map, so that those which the network finds alike lie together."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BATCH = 250
PERPLEXITY = 30


@torch.no_grad()
def features(network: nn.Module, images_NCHW: Tensor) -> NDArray[np.float32]:
    """Return what the last layer is given, (n, features), for prepared pictures."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    given: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        del module
        given.append(inputs[0].float().clone())

    hook = last.register_forward_pre_hook(keep)
    try:
        network.eval()
        for start in range(0, len(images_NCHW), BATCH):
            network(images_NCHW[start : start + BATCH])
    finally:
        hook.remove()
    return np.asarray(torch.cat(given).numpy(), np.float32)


def place(features_NF: NDArray[np.float32], seed: int = 0) -> NDArray[np.float64]:
    """Return places (n, 2) on a map: t-SNE (van der Maaten and Hinton, JMLR 9, 2008), by openTSNE.

    Near means alike; how far apart distant groups lie, and how large they are, means nothing.
    """
    from openTSNE import TSNE

    perplexity = min(PERPLEXITY, (len(features_NF) - 1) / 3)
    found = TSNE(perplexity=perplexity, random_state=seed, n_jobs=-1).fit(features_NF)
    return np.asarray(found, np.float64)
