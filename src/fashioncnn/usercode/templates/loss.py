"""A loss of my own, for fashioncnn.

fashioncnn check FILE.py     is it a mean, with a gradient, lower for right answers?
fashioncnn train FILE.toml   train with it; further keys of [loss] are arguments below
"""

from torch import Tensor
from torch.nn import functional


def my_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Return one number for logits (n, classes) and labels (n,): the focal loss.

    Lin et al., "Focal loss for dense object detection", arXiv 1708.02002, eq. 4.
    """
    losses = functional.cross_entropy(logits, labels, reduction="none")
    sure = (-losses).exp()
    return ((1 - sure) ** gamma * losses).mean()
