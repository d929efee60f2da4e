"""Which pixels an answer rests on: three methods, and two maps that know nothing of a network.

Captum computes the methods. Every map is float32 (n, h, w), larger where a pixel speaks more for
the class asked about.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from fashioncnn.explanation.filters import convolution_filters
from fashioncnn.models.parts import keep_inputs, parts_of

Maps = NDArray[np.float32]
WINDOW, STRIDE = 5, 2
STEPS = 24


def grad_cam(network: nn.Module, images_NCHW: Tensor, classes: Tensor, black: Tensor) -> Maps:
    """Grad-CAM of the last visible layer, enlarged (Selvaraju et al., arXiv 1610.02391, sec. 3)."""
    del black
    from captum.attr import LayerAttribution, LayerGradCam

    shown = parts_of(network).shown.values()
    layer = [module for module in shown if isinstance(module, nn.Conv2d)][-1]
    coarse = LayerGradCam(network, layer).attribute(images_NCHW, target=classes)
    size = (images_NCHW.shape[-2], images_NCHW.shape[-1])
    return _as_maps(LayerAttribution.interpolate(coarse, size, "bilinear"))


def integrated_gradients(
    network: nn.Module, images_NCHW: Tensor, classes: Tensor, black: Tensor
) -> Maps:
    """Gradients along the way from a black picture (Sundararajan et al., arXiv 1703.01365)."""
    from captum.attr import IntegratedGradients

    baseline = torch.zeros_like(images_NCHW) + black
    maps = IntegratedGradients(network).attribute(
        images_NCHW, baseline, target=classes, n_steps=STEPS, internal_batch_size=512
    )
    return _as_maps(maps)


def occlusion(network: nn.Module, images_NCHW: Tensor, classes: Tensor, black: Tensor) -> Maps:
    """How much the class loses when 5x5 pixels turn black (Zeiler, Fergus, arXiv 1311.2901)."""
    from captum.attr import Occlusion

    channels = images_NCHW.shape[1]
    with torch.no_grad():
        maps = Occlusion(network).attribute(
            images_NCHW,
            sliding_window_shapes=(channels, WINDOW, WINDOW),
            strides=(channels, STRIDE, STRIDE),
            baselines=torch.zeros_like(images_NCHW[:1]) + black,
            target=classes,
            perturbations_per_eval=8,
        )
    return _as_maps(maps)


Method = Callable[[nn.Module, Tensor, Tensor, Tensor], Maps]
METHODS: dict[str, Method] = {
    "Grad-CAM": grad_cam,
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
}


def attributions(
    network: nn.Module, images_NCHW: Tensor, classes: Tensor, black: Tensor
) -> dict[str, Maps]:
    """Return every method's maps of prepared pictures for `classes` (n,), by name.

    Grad-CAM is left out for a network without a convolution.

    `black` (1 or c, 1, 1) is what a black pixel is after preparation. The network is left as it
    was.
    """
    network = copy.deepcopy(network).eval()
    keep_inputs(network)
    with warnings.catch_warnings():
        # Captum tells that it sets requires_grad on its inputs, which are ours to lend.
        warnings.filterwarnings("ignore", "Input Tensor 0 did not already require gradients")
        return {
            name: method(network, images_NCHW.clone(), classes, black)
            for name, method in METHODS.items()
            if method is not grad_cam or convolution_filters(network)
        }


def edges(images_NCHW: Tensor) -> Maps:
    """Return how strong the edges of the pictures are (Sobel): a map that asks no network."""
    images = images_NCHW.detach().mean(1).numpy()
    step, smooth = np.array([-1, 0, 1]), np.array([1, 2, 1])
    # Not ndimage.sobel, which smooths along every other axis: here, across pictures.
    down, right = (
        ndimage.correlate1d(ndimage.correlate1d(images, step, along), smooth, across)
        for along, across in ((1, 2), (2, 1))
    )
    return np.asarray(np.hypot(down, right), np.float32)


def random_maps(images_NCHW: Tensor, seed: int = 0) -> Maps:
    """Return noise."""
    count, _, height, width = images_NCHW.shape
    return np.random.default_rng(seed).random((count, height, width), np.float32)


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """Return the same network with fresh random weights (Adebayo et al., arXiv 1810.03292).

    Weights that no layer draws, as those of a user's own, are shuffled.
    """
    fresh = copy.deepcopy(network)
    drawn: set[nn.Parameter] = set()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in fresh.modules():
            # Attention has it with an underscore.
            for reset in ("reset_parameters", "_reset_parameters"):
                if callable(draw := getattr(module, reset, None)):
                    draw()
                    drawn.update(module.parameters(recurse=False))
        for weights in fresh.parameters():
            if weights not in drawn:
                shuffled = weights.flatten()[torch.randperm(weights.numel())]
                weights.copy_(shuffled.view_as(weights))
    return fresh.eval()


def _as_maps(maps_NCHW: Tensor) -> Maps:
    return np.asarray(maps_NCHW.detach().float().mean(1).numpy(), np.float32)
