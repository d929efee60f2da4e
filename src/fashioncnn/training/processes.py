"""The processes that train one network together, each on a part of every batch.

Their count is 1 except under torchrun. All of them draw the same batches, work on their parts, and
then know the whole batch's class scores, sums and losses: at every step each holds the same state,
which is the one that a single process would have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from fashioncnn.errors import FashionCNNError, ProcessLost

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

# In what gloo and NCCL raise, which have no error type in common.
LOST = re.compile(r"gloo|NCCL|connection|peer|timed? ?out", re.IGNORECASE)


class Processes:
    """The `count` processes; this one is `rank`. `image_count` is the present batch's size."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.rank, self.count = fabric.global_rank, fabric.world_size
        self.image_count = 0

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """Which pictures of every batch are this process's."""
        return slice(self.rank, None, self.count)

    def begin_batch(self, image_count: int) -> None:
        """Take note that the batch that comes has `image_count` pictures in all."""
        self.image_count = image_count

    def whole(self, logits: Tensor) -> Tensor:
        """Return the class scores (n, …) of the whole batch from those of this process's part.

        Gradients flow back to the part, times `count`, as the processes' gradients are averaged.
        """
        if self.count == 1:
            return logits
        whole: Tensor = _Whole.apply(logits, self)  # type: ignore[no-untyped-call]
        return whole

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over the processes, differentiable."""
        if self.count == 1:
            return tensor
        total: Tensor = _Sum.apply(tensor, self)  # type: ignore[no-untyped-call]
        return total

    def any(self, said: bool) -> bool:
        """Return whether any process said so."""
        if self.count == 1:
            return said
        return bool(self.add(torch.tensor(float(said))) > 0)

    def broadcast(self, work: Callable[[], T]) -> T:
        """Run `work` on rank 0 and broadcast its result or exception."""
        if self.count == 1:
            return work()
        answer: T | None = None
        fault: FashionCNNError | None = None
        if self.first:
            try:
                answer = work()
            except FashionCNNError as error:
                fault = error
        answer, fault = self.fabric.broadcast((answer, fault))
        if fault:
            raise fault
        return answer  # type: ignore[return-value]

    def add(self, tensor: Tensor) -> Tensor:
        """Return the sum over the processes, not differentiable."""
        total = tensor.detach().to(self.fabric.device, copy=True).contiguous()
        torch.distributed.all_reduce(total)
        return total.to(tensor.device)


class _Sum(Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, processes: Processes) -> Tensor:
        ctx.processes = processes
        return processes.add(tensor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.processes.add(gradient), None


class _Whole(Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, processes: Processes) -> Tensor:
        ctx.processes = processes
        # Not every backend adds bf16; the other processes add 0 to these rows, which is exact.
        precise = torch.promote_types(logits.dtype, torch.float32)
        whole = logits.new_zeros((processes.image_count, *logits.shape[1:]), dtype=precise)
        whole[processes.part] = logits.to(precise)
        return processes.add(whole).to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[ctx.processes.part] * ctx.processes.count, None


@contextmanager
def together(fabric: Fabric) -> Iterator[Processes]:
    """Give the processes that `fabric` was launched in; end their connection afterwards.

    Raises ProcessLost when one of them has gone.
    """
    processes = Processes(fabric)
    if processes.count == 1:
        yield processes
        return
    try:
        yield processes
    except RuntimeError as error:
        if not LOST.search(str(error)):
            raise
        raise ProcessLost(
            f"process {processes.rank} of {processes.count} lost touch with another, which has "
            "ended or cannot be reached"
        ) from None
    finally:
        torch.distributed.destroy_process_group()
