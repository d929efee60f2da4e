"""The channels of a network: which never answer, which answer alike, what excites each most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.explanation.answers import as_maps
from fashioncnn.models.parts import parts_of

BATCH = 250
# Places looked at in each picture, for how alike two channels answer.
PLACES = 16
ALIKE = 0.98
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish)


@dataclass(frozen=True)
class Field:
    """What one place of a layer sees: `size` pixels a side, every `step` pixels, from `start`."""

    size: int
    step: int
    start: int


@dataclass(frozen=True)
class Units:
    """The channels of one layer, over the pictures given.

    `peaks` (pictures, channels) is each channel's largest answer in each picture and `places`
    (pictures, channels, 2) where (row, column); `dead` are channels that never exceed 0; `alike`
    pairs whose answers correlate beyond 0.98 in size. `field` is what one place sees.
    """

    peaks: NDArray[np.float32]
    places: NDArray[np.int64]
    dead: tuple[int, ...]
    alike: tuple[tuple[int, int], ...]
    field: Field


@torch.no_grad()
def units(network: nn.Module, images_NCHW: Tensor) -> dict[str, Units]:
    """Return what is found about every activation layer over maps, by name, on prepared pictures.

    Where activations are no layers, it is found about the convolutions. Of a layer that is used
    several times, the first answer counts.
    """
    network = network.eval()
    fields = list(_fields(network))
    kinds: tuple[type[nn.Module], ...] = ACTIVATIONS
    if not any(isinstance(module, kinds) for _, module, _ in fields):
        kinds = (nn.Conv2d,)
    layers = {name: (module, field) for name, module, field in fields if isinstance(module, kinds)}
    kept: dict[str, Tensor] = {}
    height, width = images_NCHW.shape[2:]

    def keep(name: str) -> object:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            del module, inputs
            maps = as_maps(output, (height, width))
            if maps is not None and maps.ndim == 4 and name not in kept:
                kept[name] = maps.float().clone()

        return hook

    hooks = [
        module.register_forward_hook(keep(name))  # type: ignore[arg-type]
        for name, (module, _) in layers.items()
    ]
    found: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    try:
        for start in range(0, len(images_NCHW), BATCH):
            kept.clear()
            network(images_NCHW[start : start + BATCH])
            for name, maps in kept.items():
                peaks, where = maps.flatten(2).max(2)
                wide = maps.shape[-1]
                sizes[name] = (maps.shape[2], wide)
                places = torch.stack([where // wide, where % wide], 2)
                seen = maps.flatten(2)[:, :, :: max(1, maps[0, 0].numel() // PLACES)]
                found.setdefault(name, []).append(
                    (peaks, places, seen.transpose(1, 2).flatten(0, 1))
                )
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: _units(parts, _true(layers[name][1], (height, width), sizes[name]))
        for name, parts in found.items()
    }


def _units(parts: list[tuple[Tensor, Tensor, Tensor]], field: Field) -> Units:
    peaks, places, seen = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    dead = (peaks.amax(0) <= 0).nonzero()[:, 0].tolist()
    deviation = seen.double() - seen.double().mean(0)
    length = deviation.norm(dim=0)
    likeness = (deviation.T @ deviation) / (length[:, None] * length).clamp(min=1e-12)
    pairs = (likeness.triu(1) > ALIKE).nonzero().tolist()
    return Units(
        peaks.numpy(),
        places.numpy(),
        tuple(dead),
        tuple((first, second) for first, second in pairs),
        field,
    )


def _fields(network: nn.Module) -> Iterator[tuple[str, nn.Module, Field]]:
    """Yield every layer with what one place of its answer sees of the picture.

    Layers are taken to follow one another; see `_true` where they do not.
    """
    size, step, start = 1, 1, 0
    for name, module in parts_of(network).shown.items():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            kernel, stride, dilation = (
                value[0] if isinstance(value, tuple) else value
                for value in (module.kernel_size, module.stride, getattr(module, "dilation", 1))
            )
            reach = int(dilation) * (int(kernel) - 1)
            start -= _padding(module.padding, reach) * step
            size += reach * step
            step *= int(stride)
        yield name, module, Field(size, step, start)


def _padding(padding: str | int | tuple[int, ...], reach: int) -> int:
    """Return how many pixels a layer sees beyond the border, before the first; it has `reach`."""
    if isinstance(padding, str):
        return reach // 2 if padding == "same" else 0
    return padding[0] if isinstance(padding, tuple) else padding


def _true(field: Field, image_size: tuple[int, int], map_size: tuple[int, int]) -> Field:
    """Return `field`, or one with the step that the map's size tells, where it is another.

    Branches count twice among layers in a row. The field then lies around its place, and is no
    larger than the picture.
    """
    step = max(1, round(image_size[0] / map_size[0]))
    if step == field.step:
        return field
    size = min(field.size, *image_size)
    return Field(size, step, (step - size) // 2)


def patches(
    found: Units, images_NHWC: NDArray[np.uint8], channel: int, count: int
) -> NDArray[np.uint8]:
    """Return the (count, size, size, c) patches that excite `channel` most, strongest first.

    Each is of another picture; beyond the picture's border a patch is as dark as can be.
    """
    size, step, start = found.field.size, found.field.step, found.field.start
    strongest = np.argsort(-found.peaks[:, channel], kind="stable")[:count]
    cut = np.full((len(strongest), size, size, images_NHWC.shape[3]), images_NHWC.min(), np.uint8)
    for row, picture in enumerate(strongest):
        top, left = found.places[picture, channel] * step + start
        image = images_NHWC[picture]
        rows = slice(max(0, top), max(0, top, min(image.shape[0], top + size)))
        columns = slice(max(0, left), max(0, left, min(image.shape[1], left + size)))
        cut[row, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = (
            image[rows, columns]
        )
    return cut
