"""The networks that predicted while a run was trained."""

from __future__ import annotations

import copy

from torch import nn

from fashioncnn.errors import RunError
from fashioncnn.opening.trained import Trained
from fashioncnn.runs import snapshots
from fashioncnn.training.state import load_network


def networks_by_epoch(trained: Trained) -> dict[int, nn.Module]:
    """Return the networks by epoch: those that the run kept, oldest first, and that of now."""
    networks: dict[int, nn.Module] = {}
    kept = snapshots.load(trained.run.snapshots, trained.recipe.training.epochs)
    for epoch, weights in kept.items():
        if epoch < trained.epochs:
            network = copy.deepcopy(trained.network)
            try:
                load_network(network, weights, "")
            except RunError:
                continue
            networks[epoch] = network
    return networks | {trained.epochs: trained.network}
