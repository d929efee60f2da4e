"""Techniques that were tried and that the package does not have, each as a patch on it.

`ablation.py` measures them beside the recipes' own settings.
Usage: python benchmarks/dropped.py TECHNIQUE train RECIPE … (any words of the command line)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from fashioncnn.cli.main import main
from fashioncnn.data import sources
from fashioncnn.data.batches import Batch, Batches
from fashioncnn.data.preparation import as_uint8_NCHW
from fashioncnn.data.selection import Selection
from fashioncnn.models import MODELS
from fashioncnn.models.strided_cnn import StridedCNN
from fashioncnn.training import optimizers
from fashioncnn.training.muon import Muon
from fashioncnn.training.optimizers import OptimizerSettings
from fashioncnn.training.state import TrainingState

NORM_BIAS_RATE = 8
LOOK_AHEAD_STEPS, LOOK_AHEAD_SHARE = 5, 0.5
FROZEN_BELOW = 1 / 3
SMALL_EPOCHS, SMALL_PIXELS = 2, 20
SMALL_BATCH, SMALL_BATCH_EPOCHS = 128, 6


def dirac() -> None:
    """Begin as the identity, as far as the channels go (Zagoruyko, Komodakis, arXiv 1706.00388)."""

    class Dirac(StridedCNN):
        def __init__(self, **keywords: Any) -> None:
            super().__init__(**keywords)
            for module in self.modules():
                if isinstance(module, nn.Conv2d) and module.in_channels > 1:
                    nn.init.dirac_(module.weight.data[: module.in_channels])

    MODELS["strided-cnn"] = Dirac


def whitened() -> None:
    """Fixed whitening of 3x3 patches and its negative first (cf. Jordan, arXiv 2404.00498, 3.2)."""
    pictures = sources.load(sources.find(None), "train").images_NHW[:10_000]
    images = as_uint8_NCHW(pictures, torch.device("cpu")).float() / 255
    patches = nn.functional.unfold(images, 3).transpose(1, 2).reshape(-1, 9)
    values, vectors = torch.linalg.eigh(patches.T.cov())
    filters = (vectors / (values + 5e-4).sqrt()).T.reshape(9, 1, 3, 3)

    class Whitened(StridedCNN):
        def __init__(self, **keywords: Any) -> None:
            super().__init__(**keywords)
            fixed = nn.Conv2d(1, 18, 3, stride=2, padding=1, bias=False)
            fixed.weight.data.copy_(torch.cat([filters, -filters]))
            fixed.weight.requires_grad_(False)
            learnt = nn.Conv2d(18, keywords["channels"][0], 3, padding=1, bias=False)
            self.layers.conv1 = nn.Sequential(fixed, nn.ReLU(), learnt)

    MODELS["strided-cnn"] = Whitened


def norm_biases() -> None:
    """Learn the biases of batch norms faster (Jordan, arXiv 2404.00498, sec. 3.3)."""
    muon = optimizers.OPTIMIZERS["muon"]

    def faster(network: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
        optimizer = muon(network, settings)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        biases = {id(norm.bias): norm.bias for norm in norms}
        rest = optimizer.param_groups[-1]
        rest["params"] = [weight for weight in rest["params"] if id(weight) not in biases]
        rate = rest["lr"] * NORM_BIAS_RATE
        optimizer.add_param_group({**rest, "params": list(biases.values()), "lr": rate})
        return optimizer

    optimizers.OPTIMIZERS["muon"] = faster


def look_ahead() -> None:
    """Every few steps, go back half the way (Zhang et al., arXiv 1907.08610, alg. 1)."""
    step = Muon.step
    slow: dict[int, Tensor] = {}
    steps = [0]

    def stepping(self: Muon, closure: Any = None) -> None:
        weights = [weight for group in self.param_groups for weight in group["params"]]
        for weight in weights:
            slow.setdefault(id(weight), weight.detach().clone())
        step(self, closure)
        steps[0] += 1
        if steps[0] % LOOK_AHEAD_STEPS == 0:
            for weight in weights:
                slow[id(weight)].lerp_(weight.detach(), LOOK_AHEAD_SHARE)
                weight.detach().copy_(slow[id(weight)])

    Muon.step = stepping  # type: ignore[method-assign]


def frozen() -> None:
    """Leave the first stage as it is in the last third (cf. Brock et al., arXiv 1706.04983)."""
    set_learning_rates = TrainingState.set_learning_rates
    peak = [False]

    def freezing(self: TrainingState, factor: float) -> None:
        set_learning_rates(self, factor)
        peak[0] |= factor == 1
        if peak[0] and factor < FROZEN_BELOW:
            for name, weight in self.network.named_parameters():
                if name.startswith("layers.conv1"):
                    weight.requires_grad_(False)

    TrainingState.set_learning_rates = freezing  # type: ignore[method-assign]


def small_pictures() -> None:
    """Begin with smaller pictures (cf. Tan and Le, arXiv 2104.00298, sec. 4)."""
    epoch = Batches.epoch

    def growing(
        self: Batches, number: int, first_step: int = 0, losses_N: Tensor | None = None
    ) -> Iterator[Batch]:
        pixels = SMALL_PIXELS if number < SMALL_EPOCHS else 28
        self.preparation = replace(self.preparation, image_size=pixels)
        return epoch(self, number, first_step, losses_N)

    Batches.epoch = growing  # type: ignore[method-assign]


def growing_batch() -> None:
    """Begin with small batches (cf. Smith et al., arXiv 1711.00489)."""
    one_epoch = Batches.epoch

    def size(number: int) -> int:
        return SMALL_BATCH if number < SMALL_BATCH_EPOCHS else 2 * SMALL_BATCH

    def steps(self: Batches, epoch: int) -> int:
        return -(-self.images(epoch) // size(epoch))

    def growing(
        self: Batches, number: int, first_step: int = 0, losses_N: Tensor | None = None
    ) -> Iterator[Batch]:
        self.batch_size = size(number)
        return one_epoch(self, number, first_step, losses_N)

    Batches.steps = steps  # type: ignore[method-assign]
    Batches.epoch = growing  # type: ignore[method-assign]


def balanced() -> None:
    """Keep the hardest of each class, equally many, not the hardest of all."""
    labels: list[Tensor] = []
    prepare = Batches.__post_init__

    def remembering(self: Batches) -> None:
        prepare(self)
        labels.append(torch.as_tensor(self.pictures.labels))

    def choose(self: Selection, epoch: int, losses_N: Tensor) -> Tensor:
        order = losses_N.argsort(descending=True, stable=True)
        sorted_labels = labels[0][order]
        rank = torch.zeros(len(order), dtype=torch.int64)
        for label in range(int(sorted_labels.max()) + 1):
            mine = sorted_labels == label
            rank[mine] = torch.arange(int(mine.sum()))
        return order[rank.argsort(stable=True)][: self.images(epoch, len(losses_N))]

    Batches.__post_init__ = remembering  # type: ignore[method-assign]
    Selection.choose = choose  # type: ignore[method-assign]


TECHNIQUES: dict[str, Callable[[], None]] = {
    technique.__name__: technique
    for technique in (
        *(dirac, whitened, norm_biases, look_ahead),
        *(frozen, small_pictures, growing_batch, balanced),
    )
}

if __name__ == "__main__":
    TECHNIQUES[sys.argv.pop(1)]()
    main()
