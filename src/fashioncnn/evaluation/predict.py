"""Running a network over the pictures of a split."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from fashioncnn.data.batches import in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.views import VIEWS, ViewsName, seen

BATCH = 250


@torch.no_grad()
def predict(
    network: nn.Module,
    pictures: LabelledImages,
    preparation: Preparation,
    device: torch.device,
    views: ViewsName = "plain",
) -> Predictions:
    """Return the logits of `network`, in evaluation mode and fp32, for every picture.

    With more than one view, they are the mean over the views; each costs a pass of its own.
    """
    network = network.to(device).eval()
    passes = [
        torch.cat(
            [
                network(batch.images_NCHW).float().cpu()
                for batch in in_order(seen(pictures, view), preparation, BATCH, device)
            ]
        )
        for view in VIEWS[views]
    ]
    return Predictions(
        torch.stack(passes).mean(0).numpy(),
        pictures.labels,
        np.arange(len(pictures)),
        pictures.class_names,
    )
