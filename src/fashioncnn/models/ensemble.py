"""Several networks of one kind that answer together: a deep ensemble.

Lakshminarayanan, Pritzel, Blundell, "Simple and scalable predictive uncertainty estimation using
deep ensembles", arXiv 1612.01474, sec. 2.4: random beginnings alone make members differ enough,
each learns by a loss of its own, and their probabilities are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Ensemble(nn.Module):
    """`members` take the same (n, 1, h, w) pictures.

    In training the answer is every member's logits, (n, classes, members); else it is (n, classes),
    the logarithm of the members' mean probability, up to what all classes share.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return logits (n, classes, members) in training, (n, classes) otherwise."""
        logits_NCM = torch.stack([member(images_NCHW) for member in self.members], dim=2)
        return logits_NCM if self.training else joint(logits_NCM)


def members_of(network: nn.Module) -> list[nn.Module]:
    """Return the members of an ensemble; of any other network, itself."""
    return list(network.members) if isinstance(network, Ensemble) else [network]


def joint(logits: Tensor) -> Tensor:
    """Return what members with `logits` (n, classes, members) answer together: (n, classes).

    The logits of a single network, (n, classes), are returned as they are.
    """
    if logits.dim() == 2:
        return logits
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    logarithm_NC = functional.log_softmax(precise, 1).logsumexp(2) - math.log(logits.shape[2])
    # The members' mean energy, which probabilities alone would lose: unknown pictures lack it.
    return logarithm_NC + precise.logsumexp(1).mean(1, keepdim=True)


def for_each_member(labels_N: Tensor, logits: Tensor) -> Tensor:
    """Return the labels that a loss wants beside `logits`: (n,), or (n, members)."""
    if logits.dim() == 2:
        return labels_N
    return labels_N[:, None].expand(-1, logits.shape[2])
