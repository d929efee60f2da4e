"""Everything that training changes, and its form as named tensors and plain values."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fashioncnn.errors import RunError, reason
from fashioncnn.training.averaging import MovingAverage
from fashioncnn.training.known_losses import KnownLosses


@dataclass
class Position:
    """Where training stands: `epoch` (from 0) and the `step` in it that comes next."""

    epoch: int = 0
    step: int = 0


@dataclass
class TrainingState:
    """The network, its optimiser, average and known losses, the position, the epoch's sums so far.

    `loss_sum` (float64), `correct` and `of_no_class` (int64) are over the pictures of the epoch so
    far, on the device; `seconds` is what the epoch took so far, `first_step_seconds` its first
    step.
    """

    network: nn.Module
    optimizer: Optimizer
    average: MovingAverage | None
    device: torch.device
    losses: KnownLosses | None = None
    position: Position = field(default_factory=Position)
    seconds: float = 0.0
    first_step_seconds: float = 0.0

    def __post_init__(self) -> None:
        # MPS has no float64.
        precise = torch.float32 if self.device.type == "mps" else torch.float64
        self.loss_sum = torch.zeros((), dtype=precise, device=self.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=self.device)
        self.of_no_class = torch.zeros((), dtype=torch.int64, device=self.device)
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]

    def set_learning_rates(self, factor: float) -> None:
        """Give every group of the optimiser `factor` times the rate that it was made with."""
        for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(peak * factor)
            else:
                group["lr"] = peak * factor

    @property
    def learning_rate(self) -> float:
        """The present rate of the optimiser's first group."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def predictor(self) -> nn.Module:
        """The network that predicts: the average where there is one."""
        return self.average.network if self.average else self.network

    def begin_epoch(self, epoch: int) -> None:
        """Stand before the first step of `epoch`, with empty sums."""
        self.position = Position(epoch)
        if self.losses:
            self.losses.begin_epoch()
        self.loss_sum.zero_()
        self.correct.zero_()
        self.of_no_class.zero_()
        self.seconds = self.first_step_seconds = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor by name, the random states included."""
        named = {f"model/{name}": value for name, value in self.network.state_dict().items()}
        if self.average:
            for name, value in self.average.network.state_dict().items():
                named[f"average/{name}"] = value
        for index, values in self.optimizer.state_dict()["state"].items():
            for name, value in values.items():
                if isinstance(value, Tensor):
                    named[f"optimizer/{index}/{name}"] = value
                elif isinstance(value, int | float):
                    # Optimisers of the user's own count their steps so.
                    named[f"number/{index}/{name}"] = torch.tensor(value, dtype=_kind(value))
        if self.losses:
            named["losses/latest"] = self.losses.latest_N
            named["losses/at_epoch_start"] = self.losses.at_epoch_start_N
        named["sums/loss"] = self.loss_sum
        named["sums/correct"] = self.correct
        named["sums/of_no_class"] = self.of_no_class
        named["random/cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            named["random/cuda"] = torch.cuda.get_rng_state(self.device)
        return {name: value.detach() for name, value in named.items()}

    def values(self) -> dict[str, Any]:
        """Return what is not a tensor, ready for JSON."""
        return {
            "epoch": self.position.epoch,
            "step": self.position.step,
            "seconds": self.seconds,
            "first_step_seconds": self.first_step_seconds,
            "average_started": bool(self.average and self.average.started),
        }

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Inverse of `tensors` and `values`; RunError when they are of another recipe.

        Afterwards training goes on bit by bit as if it had never stopped.
        """
        try:
            self._restore(tensors, values)
        except (KeyError, IndexError, ValueError, TypeError, RuntimeError, AttributeError) as error:
            raise RunError(
                f"the checkpoint is not of this recipe: {reason(error, most=80)}"
            ) from None

    def _restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        load_network(self.network, tensors, "model/")
        if self.average:
            load_network(self.average.network, tensors, "average/")
            self.average.started = values["average_started"]
        if self.losses:
            self.losses.latest_N.copy_(tensors["losses/latest"])
            self.losses.at_epoch_start_N.copy_(tensors["losses/at_epoch_start"])
        self.position = Position(values["epoch"], values["step"])
        self._restore_optimizer(tensors, began=self.position != Position())
        self.seconds = values.get("seconds", 0.0)
        self.first_step_seconds = values.get("first_step_seconds", 0.0)
        self.loss_sum.copy_(tensors["sums/loss"])
        self.correct.copy_(tensors["sums/correct"])
        # Checkpoints of earlier versions know of none.
        self.of_no_class.copy_(tensors.get("sums/of_no_class", torch.tensor(0)))
        torch.set_rng_state(tensors["random/cpu"].cpu())
        if self.device.type == "cuda" and "random/cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random/cuda"].cpu(), self.device)

    def _restore_optimizer(self, tensors: Mapping[str, Tensor], *, began: bool) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        kept: dict[int, dict[str, Tensor | int | float]] = {}
        for name, tensor in tensors.items():
            if name.startswith(("optimizer/", "number/")):
                kind, index, key = name.split("/", 2)
                kept.setdefault(int(index), {})[key] = tensor.item() if kind == "number" else tensor
        expected = _shapes_after_a_step(self.optimizer)
        if began and expected and not kept:
            raise ValueError("it lacks the state of the optimiser")
        for number, values in kept.items():
            if number in expected and _shapes(values) != expected[number]:
                raise ValueError(f"its state of the optimiser does not fit (weights {number})")
            for key, value in values.items():
                held = self._as_held(value, parameters[number])
                self.optimizer.state[parameters[number]][key] = held

    def _as_held(self, value: Tensor | int | float, parameter: Tensor) -> Tensor | int | float:
        """Return a value of the optimiser's state where and as the optimiser holds it."""
        if isinstance(value, Tensor):
            if value.shape == parameter.shape:
                # The fused kernels walk state and weights in memory order: strides must agree.
                return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
            if self.device.type == "cuda":
                return value.to(self.device)
        return value


def _shapes_after_a_step(optimizer: Optimizer) -> dict[int, dict[str, tuple[int, ...]]]:
    """Return the shapes of what `optimizer` keeps of each weight, by number and key: a copy steps.

    Empty for one of the user's own, which may keep other things at other times.
    """
    if not type(optimizer).__module__.startswith(("torch.optim.", "fashioncnn.")):
        return {}
    copied = copy.deepcopy(optimizer)
    for group in copied.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    copied.step()
    states = copied.state_dict()["state"]
    return {number: shapes for number, values in states.items() if (shapes := _shapes(values))}


def _shapes(values: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {
        key: tuple(value.shape) if isinstance(value, Tensor) else ()
        for key, value in values.items()
        if isinstance(value, Tensor | int | float)
    }


def _kind(value: float) -> torch.dtype:
    return torch.float64 if isinstance(value, float) else torch.int64


def load_network(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Load the tensors whose names begin with `prefix`; RunError when they do not fit."""
    named = {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
    try:
        network.load_state_dict(named)
    except RuntimeError as error:
        raise RunError(f"the checkpoint is of another network: {reason(error, line=-1)}") from None
