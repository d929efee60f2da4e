"""Muon: momentum whose update is made orthogonal, for the matrices inside a network.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
kellerjordan.github.io/posts/muon. A convolution's weight is taken as the matrix (output channels,
input channels · height · width), which torch.optim.Muon does not do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Optimizer

from fashioncnn.models.parts import hidden_convolutions
from fashioncnn.settings import Positive
from fashioncnn.training.device import has_bf16
from fashioncnn.training.optimizers.base import OptimizerSettings, uncompiled

# Of the quintic a·x + b·x³ + c·x⁵ that drives singular values towards 1; from the source above.
A, B, C = 3.4445, -4.7750, 2.0315
ITERATIONS = 3
# Beside Muon, as its author has it for convolutional networks (KellerJordan/cifar10-airbench).
SGD_MOMENTUM = 0.85


class MuonSettings(OptimizerSettings):
    """Muon on the convolutions between feature maps, SGD on the rest.

    That is how its author uses it: the first convolution and the output layer are no hidden
    matrices, biases and norms no matrices at all. Weight decay holds for the rest alone.
    """

    name: Literal["muon"] = "muon"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Nesterov's."""
    sgd_learning_rate: Positive = 1.0
    """The peak for what Muon leaves to SGD: first and last layer, biases, norms."""

    def build(self, network: nn.Module) -> Muon:
        """See OptimizerSettings."""
        hidden = [convolution.weight for convolution in hidden_convolutions(network)]
        chosen = {id(weight) for weight in hidden}
        rest = [weight for weight in network.parameters() if id(weight) not in chosen]
        groups = [
            {"params": hidden, "lr": self.learning_rate, "orthogonal": True},
            {
                "params": rest,
                "lr": self.sgd_learning_rate,
                "weight_decay": self.weight_decay,
                "momentum": SGD_MOMENTUM,
            },
        ]
        return Muon([group for group in groups if group["params"]], self.momentum)


@uncompiled
class Muon(Optimizer):
    """Orthogonal updates for groups marked `orthogonal`, Nesterov's SGD for the others.

    Every orthogonal weight is rescaled before each step so that its rows have length 1 on the
    average: batch normalisation follows it, so its length says nothing, and a step of one length
    then always turns it by the same angle. That takes the place of weight decay.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], momentum: float) -> None:
        super().__init__(groups, {"momentum": momentum, "weight_decay": 0.0, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step along the gradients that are there."""
        del closure
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if not parameters:
                continue
            updates = self._momentum(group, parameters)
            if group["orthogonal"]:
                for parameter, norm in zip(
                    parameters, torch._foreach_norm(parameters), strict=True
                ):
                    parameter.mul_(len(parameter) ** 0.5 / norm)
                updates = _all_orthogonal(updates)
            if isinstance(group["lr"], Tensor):
                # A step that is replayed reads its rate anew.
                torch._foreach_mul_(updates, group["lr"])
                torch._foreach_sub_(parameters, updates)
            else:
                torch._foreach_add_(parameters, updates, alpha=-group["lr"])

    def _momentum(self, group: dict[str, Any], parameters: list[nn.Parameter]) -> list[Tensor]:
        gradients = [p.grad for p in parameters if p.grad is not None]
        if group["weight_decay"]:
            weights: list[Tensor] = list(parameters)
            gradients = list(torch._foreach_add(gradients, weights, alpha=group["weight_decay"]))
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        buffers = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(buffers, group["momentum"])
        torch._foreach_add_(buffers, gradients)
        return list(torch._foreach_add(gradients, buffers, alpha=group["momentum"]))


def _all_orthogonal(updates: Sequence[Tensor]) -> list[Tensor]:
    """Return each update made orthogonal; on a GPU, those of one shape together."""
    matrices = [_as_matrix(update) for update in updates]
    if not matrices[0].is_cuda:
        answers = [orthogonal(matrix) for matrix in matrices]
    else:
        answers = list(matrices)
        shapes = [matrix.shape for matrix in matrices]
        for shape in dict.fromkeys(shapes):
            alike = [index for index, other in enumerate(shapes) if other == shape]
            together = orthogonal(torch.stack([matrices[index] for index in alike]))
            for index, answer in zip(alike, together, strict=True):
                answers[index] = answer
    return [
        _as_weight(answer, update.shape) for answer, update in zip(answers, updates, strict=True)
    ]


def _as_matrix(weight: Tensor) -> Tensor:
    # Channels last is how weights lie in memory here: no copy. The order of columns is nothing to
    # an orthogonal matrix.
    return weight.permute(0, 2, 3, 1).flatten(1) if weight.dim() == 4 else weight.flatten(1)


def _as_weight(matrix: Tensor, shape: torch.Size) -> Tensor:
    if len(shape) != 4:
        return matrix.reshape(shape)
    out, channels, height, width = shape
    return matrix.reshape(out, height, width, channels).permute(0, 3, 1, 2)


def orthogonal(matrix: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Return the nearest matrix with singular values near 1; one (rows, columns), or a batch.

    Newton and Schulz's iteration as in the source; few iterations leave singular values between
    about 0.5 and 1.3, which is enough.
    """
    norm = torch.linalg.vector_norm(matrix.flatten(-2), dim=-1)[..., None, None]
    work = matrix.bfloat16() if has_bf16(matrix.device.type) else matrix.clone()
    work /= norm + 1e-7
    tall = work.shape[-2] > work.shape[-1]
    if tall:
        work = work.mT
    # An iteration multiplies by a polynomial of the small Gram matrix from the left: all of them
    # are multiplied up first, in fp32, and the wide matrix is touched twice only.
    gram = (work @ work.mT).float()
    add_product = torch.addmm if gram.dim() == 2 else torch.baddbmm
    product: Tensor | None = None
    for iteration in range(iterations):
        polynomial = add_product(gram, gram, gram, beta=B, alpha=C)
        polynomial.diagonal(dim1=-2, dim2=-1).add_(A)
        product = polynomial if product is None else polynomial @ product
        if iteration < iterations - 1:
            gram = polynomial @ gram @ polynomial
    if product is not None:
        work = product.to(work.dtype) @ work
    if tall:
        work = work.mT
    return work.to(matrix.dtype)
