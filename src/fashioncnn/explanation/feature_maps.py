"""What every layer answers for chosen pictures."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.explanation.answers import as_maps
from fashioncnn.models.parts import parts_of


@torch.no_grad()
def feature_maps(network: nn.Module, images_NCHW: Tensor) -> dict[str, NDArray[Any]]:
    """Return each layer's answer by name: float32 (n, channels, h, w), or (n, features).

    Of a layer that is used several times, the first answer; tokens are maps, see `as_maps`. Runs
    the network once, in evaluation mode; no hook remains on it, also after an error.
    """
    answers: dict[str, NDArray[Any]] = {}

    height, width = images_NCHW.shape[2:]

    def keep(name: str, module: nn.Module, inputs: Any, output: object) -> None:
        del module, inputs
        maps = as_maps(output, (height, width))
        if maps is not None and name not in answers:
            # An in-place ReLU that follows must not change what was kept: hence the copy.
            answers[name] = maps.float().cpu().contiguous().numpy().copy()

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
