"""load: from a run to its network, ready to be shown pictures."""

from __future__ import annotations

from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun
from fashioncnn.opening.trained import CheckpointName, Trained, open_trained
from fashioncnn.training.device import DeviceName


def load(
    run: AnyRun,
    *,
    checkpoint: CheckpointName = "best",
    data: Data = None,
    device: DeviceName = "auto",
) -> Trained:
    """Open a trained network: `load(run).predict(images)` says what it makes of pictures.

    Weights and data are read when they are needed. Raises RunError when the run has no such
    checkpoint, or a damaged one.
    """
    return open_trained(run, checkpoint, data, device)
