"""What every layer answers for chosen pictures."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.models.parts import parts_of


@torch.no_grad()
def feature_maps(network: nn.Module, images_NCHW: Tensor) -> dict[str, NDArray[Any]]:
    """Return each layer's answer by name: float32 (n, channels, h, w), or (n, features).

    Runs the network once, in evaluation mode; no hook remains on it, also after an error.
    """
    answers: dict[str, NDArray[Any]] = {}

    def keep(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs
        # An in-place ReLU that follows must not change what was kept: hence the copy.
        answers[name] = output.float().cpu().contiguous().numpy().copy()

    hooks = [
        module.register_forward_hook(partial(keep, name))
        for name, module in parts_of(network).shown.items()
    ]
    try:
        network.eval()(images_NCHW)
    finally:
        for hook in hooks:
            hook.remove()
    return answers
