"""Running a network over the pictures of a split."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from fashioncnn.data.batches import in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.evaluation.predictions import Predictions

BATCH = 250


@torch.no_grad()
def predict(
    network: nn.Module, pictures: LabelledImages, preparation: Preparation, device: torch.device
) -> Predictions:
    """Return the logits of `network`, in evaluation mode and fp32, for every picture."""
    network = network.to(device).eval()
    logits = [
        network(batch.images_NCHW).float().cpu()
        for batch in in_order(pictures, preparation, BATCH, device)
    ]
    return Predictions(
        torch.cat(logits).numpy(),
        pictures.labels,
        np.arange(len(pictures)),
        pictures.class_names,
    )
