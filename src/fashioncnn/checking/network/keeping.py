"""What a network keeps: its weights, nothing else, in checkpoints and in ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fashioncnn.checking.finding import Problem
from fashioncnn.checking.subject import NetworkSubject
from fashioncnn.data.images import Shape
from fashioncnn.errors import BundleError, CodeError, ExtraError
from fashioncnn.exporting.graph import to_onnx
from fashioncnn.models.unregistered import unregistered
from fashioncnn.recipes.build import build_preparation
from fashioncnn.runs import checkpoints


def registered(subject: NetworkSubject) -> None:
    """Layers and weights are known to the network."""
    for found in unregistered(subject.network):
        raise Problem(f"{subject.defined(found.path)} is {found.fault}", found.remedy)


def keeps_no_state(subject: NetworkSubject) -> None:
    """Keeps nothing from one picture to the next but in weights and buffers."""
    network = subject.make()
    before = _attributes(network)
    for training in (True, False):
        network.train(training)(subject.pictures(7))
    after = _attributes(network)
    changed = [name for name in after if name not in before or before[name] != after[name]]
    if not changed:
        return
    fresh = subject.make()
    fresh.load_state_dict(network.state_dict())
    with torch.no_grad():
        answers = [one.eval()(subject.pictures(7)) for one in (network, fresh)]
    told = f"self.{subject.defined(changed[0])} changes as it answers, and no checkpoint has it"
    if torch.equal(*answers):
        raise Problem(told, "no answer follows from it, so that all is well", note=True)
    raise Problem(
        told, "self.register_buffer for what a resumed training needs; nothing at all is better"
    )


def _attributes(network: nn.Module) -> dict[str, Any]:
    """Return what modules keep beside weights, buffers and layers, as values to compare."""
    found: dict[str, Any] = {}
    for path, module in network.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or name == "training":
                continue
            full = f"{path}.{name}" if path else name
            found[full] = _value(value)
        for name in module._non_persistent_buffers_set:
            found[f"{path}.{name}" if path else name] = _value(getattr(module, name))
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().tolist() if value.numel() <= 4096 else id(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {key: _value(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else id(value)


def saves_and_loads(subject: NetworkSubject) -> None:
    """Survives saving and loading."""
    network = subject.make(0)
    network.train()(subject.pictures(7))
    packed = checkpoints.pack({f"model/{k}": v for k, v in network.state_dict().items()})
    saved = checkpoints.unpack(Path("the checkpoint"), packed)
    again = subject.make(1)
    again.load_state_dict({name.removeprefix("model/"): one for name, one in saved.items()})
    with torch.no_grad():
        answers = [one.eval()(subject.pictures(7)) for one in (network, again)]
    if not torch.equal(*answers):
        raise Problem(
            "answers otherwise after it: it keeps something outside weights and buffers",
            "self.register_buffer for tensors that are drawn or counted",
        )


def exports(subject: NetworkSubject) -> None:
    """Exports to ONNX."""
    channels, height, width = subject.raw_NCHW.shape[1:]
    try:
        to_onnx(
            subject.make().eval(),
            build_preparation(subject.recipe),
            Shape(channels, height, width),
        )
    except ExtraError as missing:
        raise Problem(
            "not tried: the exporter is not installed", str(missing).partition(": ")[2], True
        ) from None
    except CodeError as wrong:
        raise Problem(f"does not: {wrong}", note=True) from None
    except BundleError as wrong:
        raise Problem(
            f"does not: {wrong}",
            "no branches on what a tensor holds, no numpy inside forward",
            note=True,
        ) from None
