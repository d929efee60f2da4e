"""Layers that treat a batch as one although several processes hold its parts."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from fashioncnn.training.processes import Processes

# Those that multiply by what they draw.
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def span_processes(network: nn.Module, processes: Processes) -> None:
    """Replace the layers in `network` whose answer depends on the batch as a whole.

    Weights, buffers and their names stay, so that checkpoints are those of one process.
    """
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            setattr(network, name, WholeBatchNorm(child, processes))
        elif isinstance(child, DROPOUTS):
            setattr(network, name, WholeDropout(child, processes))
        else:
            span_processes(child, processes)


class WholeBatchNorm(_BatchNorm):
    """Batch normalisation by the mean and variance over all parts; shares all that `norm` has.

    torch's SyncBatchNorm is for GPUs alone.
    """

    def __init__(self, norm: _BatchNorm, processes: Processes) -> None:
        super().__init__(
            norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
        )
        self._parameters, self._buffers = norm._parameters, norm._buffers
        self.processes = processes
        self.train(norm.training)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        del input

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (n, c, …), normalised, in their own precision."""
        if not self.training:
            return super().forward(features)
        positions = self.processes.image_count * features.shape[2:].numel()
        others = [0, *range(2, features.dim())]
        shape = [1, -1] + [1] * (features.dim() - 2)
        values = features.to(torch.promote_types(features.dtype, torch.float32))
        mean_C = self.processes.sum(values.sum(others)) / positions
        centred = values - mean_C.view(shape)
        variance_C = self.processes.sum(centred.square().sum(others)) / positions
        if self.running_mean is not None:
            self._keep(mean_C.detach(), variance_C.detach() * positions / max(1, positions - 1))
        scale_C = (variance_C + self.eps).rsqrt()
        if not self.affine:
            return (centred * scale_C.view(shape)).to(features.dtype)
        scale_C = scale_C * self.weight
        return (centred * scale_C.view(shape) + self.bias.view(shape)).to(features.dtype)

    def _keep(self, mean_C: Tensor, unbiased_variance_C: Tensor) -> None:
        batches = cast(Tensor, self.num_batches_tracked).add_(1)
        # Without a momentum the statistics are the mean over all batches.
        share = 1 / float(batches) if self.momentum is None else self.momentum
        for name, present in (("running_mean", mean_C), ("running_var", unbiased_variance_C)):
            cast(Tensor, self._buffers[name]).lerp_(present, share)


class WholeDropout(nn.Module):
    """Dropout, of features or of channels, drawn for the whole batch as one process would."""

    def __init__(self, dropout: _DropoutNd, processes: Processes) -> None:
        super().__init__()
        self.dropout, self.processes = dropout, processes
        self.train(dropout.training)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (n, …), some of them zero."""
        if not self.training or not self.dropout.p:
            return features
        whole = (self.processes.image_count, *features.shape[1:])
        ones = torch.ones(whole, dtype=features.dtype, device=features.device)
        drawn: Tensor = self.dropout(ones)
        return features * drawn[self.processes.part]
