"""An optimiser of my own, for fashioncnn.

fashioncnn check FILE.py     does it move every weight, can it be stopped and resumed?
fashioncnn train FILE.toml   train with it; further keys of [optimizer] are arguments below
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


class MyOptimizer(Optimizer):
    """SGD with momentum. `lr` is optimizer.learning_rate, which the schedule scales."""

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.9,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step along the gradients that are there."""
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                # Tensors and numbers in self.state are saved and resumed; others are not.
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                gradient = weight.grad + group["weight_decay"] * weight
                state["momentum"].mul_(group["momentum"]).add_(gradient)
                weight.sub_(group["lr"] * state["momentum"])
