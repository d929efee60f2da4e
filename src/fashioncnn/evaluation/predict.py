"""Running a network over the pictures of a split."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fashioncnn.data.batches import in_order
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.errors import RunError
from fashioncnn.evaluation.predictions import LARGEST, Predictions
from fashioncnn.evaluation.views import VIEWS, ViewsName, seen

BATCH = 250
# Of the standard deviation of the logits: bf16 hardly ever turns a wider gap over (lab notes).
CLOSE = 0.1


@torch.no_grad()
def predict(
    network: nn.Module,
    pictures: LabelledImages,
    preparation: Preparation,
    device: torch.device,
    views: ViewsName = "plain",
) -> Predictions:
    """Return the logits of `network`, in evaluation mode and fp32, for every picture.

    With more than one view, they are the mean over the views; each costs a pass of its own. Raises
    RunError where they are no numbers.
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
    logits = torch.stack(passes).mean(0).numpy()
    # Written so that what is no number fails, too.
    if spoilt := int((~(np.abs(logits) <= LARGEST)).any(axis=1).sum()):
        raise RunError(
            f"the network answers with what is no number, or larger than {LARGEST:g}, for "
            f"{spoilt:,} of {len(pictures):,} pictures"
        )
    return Predictions(
        logits,
        pictures.labels,
        np.arange(len(pictures)),
        pictures.class_names,
    )


def predicted_classes(
    network: nn.Module,
    pictures: LabelledImages,
    preparation: Preparation,
    device: torch.device,
    *,
    bf16: bool,
) -> NDArray[np.int64]:
    """Return the class (n,) of the largest logit, for every picture.

    With `bf16`, the network computes in it, and again in fp32 where two classes come out close: of
    100,000 answers, a few differ from those of `predict`.
    """
    if not bf16:
        return predict(network, pictures, preparation, device).predicted
    with torch.autocast(device.type, dtype=torch.bfloat16):
        quick = predict(network, pictures, preparation, device)
    second, first = np.partition(quick.logits, -2, axis=1)[:, -2:].T
    close = np.flatnonzero(first - second < CLOSE * quick.logits.std())
    classes = quick.predicted.copy()
    if len(close):
        classes[close] = predict(network, pictures.take(close), preparation, device).predicted
    return classes
