"""Training steps as CUDA graphs: recorded once for each shape of batch, then replayed.

A step of a small network is many short kernels, and starting each from Python takes longer than
running it. A replay starts them all at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from fashioncnn.data.batches import Batch

# Steps of a shape before its recording: libraries choose their kernels and take their memory.
STEPS_BEFORE_RECORDING = 3


class CudaGraphs:
    """Takes steps as `step` does, on a GPU; fast once it has seen a shape of batch a few times.

    `step` works on tensors that stay where they are, and reads none of them on the host. The rates
    of `optimizer` become tensors on `device`, which a replay reads.
    """

    def __init__(
        self, step: Callable[[Batch], None], optimizer: Optimizer, device: torch.device
    ) -> None:
        self._step = step
        self._optimizer = optimizer
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._steps: dict[torch.Size, int] = {}
        self._recorded: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Batch]] = {}
        # Of its convolutions, cuDNN tries several for each shape and keeps the fastest.
        torch.backends.cudnn.benchmark = True
        for group in optimizer.param_groups:
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=device)
            if "capturable" in group:
                group["capturable"] = True

    def __call__(self, batch: Batch) -> None:
        """Take one step with `batch`."""
        # A recording must not touch the stream that everything else uses.
        here = torch.cuda.current_stream()
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            self._take(batch)
        here.wait_stream(self._stream)

    def _take(self, batch: Batch) -> None:
        shape = batch.images_NCHW.shape
        taken = self._steps[shape] = self._steps.get(shape, 0) + 1
        if taken <= STEPS_BEFORE_RECORDING:
            self._step(batch)
            return
        if shape not in self._recorded:
            self._recorded[shape] = self._record(batch)
        graph, recorded = self._recorded[shape]
        for target, source in zip(_tensors(recorded), _tensors(batch), strict=True):
            target.copy_(source)
        graph.replay()

    def _record(self, batch: Batch) -> tuple[torch.cuda.CUDAGraph, Batch]:
        recorded = Batch(*(tensor.clone() for tensor in _tensors(batch)))
        graph = torch.cuda.CUDAGraph()
        self._optimizer.zero_grad()
        # Recording runs nothing. Other threads may use the GPU meanwhile.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._step(recorded)
        return graph, recorded


def _tensors(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return batch.images_NCHW, batch.labels, batch.indices
