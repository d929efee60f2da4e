"""Device and precision, through Lightning Fabric."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch

from fashioncnn.errors import DeviceError
from fashioncnn.processor import processor_name

if TYPE_CHECKING:
    from lightning_fabric import Fabric

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "fp32", "bf16"]

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def choose_device(name: DeviceName) -> torch.device:
    """Return the device of this name; "auto" is CUDA, else MPS, else the processor.

    Raises DeviceError when the machine has none.
    """
    there: dict[DeviceName, bool] = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, is_there in there.items() if is_there)
    if not there.get(name):
        usable = " or ".join(kind for kind, is_there in there.items() if is_there)
        raise DeviceError(f"--device {name}: there is none on this machine; it has {usable}")
    if name == "cpu":
        _keep_freed_memory()
    return torch.device(name)


def fabric_for(name: DeviceName, precision: PrecisionName, *, together: bool = False) -> Fabric:
    """Return a launched Fabric on one device; see `choose_device`.

    Precision "auto" is bf16 where that device has instructions for it. With `together`, the
    processes that torchrun has started are connected, each on a device of its own.
    """
    # Fabric takes a second to import, which only training should pay.
    with _without_compiler():
        from lightning_fabric import Fabric

    # It tells on every start that bf16 is on; the run's first line says so already.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    device = choose_device(name)
    together = together and launched_together()
    if together and device.type == "mps":
        raise DeviceError("several processes cannot train on mps; --device cpu")
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16(device.type))
    fabric = Fabric(
        accelerator=device.type,
        precision="bf16-mixed" if bf16 else "32-true",
        **(_connection() if together else {"devices": 1}),
    )
    fabric.launch()
    return fabric


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Let Fabric be imported without PyTorch's compiler, which takes another second.

    It wants the name of one class, to see whether a network was compiled. Ours are not; of a user's
    own that is, it takes what is given as it is.
    """
    name = "torch._dynamo"
    if name in sys.modules:
        yield
        return
    stand_in = types.ModuleType(name)
    stand_in.OptimizedModule = type("OptimizedModule", (), {})  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


def launched_together() -> bool:
    """Say whether this is one of several processes that torchrun has started."""
    started = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
    return started and int(os.environ["WORLD_SIZE"]) > 1


def _connection() -> dict[str, Any]:
    from lightning_fabric.strategies.ddp import DDPStrategy

    here = int(os.environ["LOCAL_WORLD_SIZE"])
    strategy = DDPStrategy(gradient_as_bucket_view=True)
    return {
        "devices": here,
        "num_nodes": int(os.environ["WORLD_SIZE"]) // here,
        "strategy": strategy,
    }


def precision_of(fabric: Fabric) -> str:
    """Return "bf16" or "fp32"."""
    return "bf16" if "bf16" in str(fabric.strategy.precision.precision) else "fp32"


def precision_remarks(fabric: Fabric) -> list[str]:
    """Return what to know of the precision before training, a line each."""
    if fabric.device.type == "cpu" and precision_of(fabric) == "bf16" and not has_bf16("cpu"):
        return ["bf16: this processor has no instructions for it, and is far slower than in fp32"]
    return []


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed memory for the next step instead of giving it back each time.

    A step's tensors come and go; without this, every one is fresh pages from the system, which
    costs large batches much of their time (docs/lab-notes.md). Without glibc, nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def one_core_free() -> Iterator[None]:
    """Compute with a thread less while inside: threads that wait for a core wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def has_bf16(device: str) -> bool:
    """Say whether `device` has instructions for products of bfloat16 matrices."""
    if device == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    if device == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def hardware(device: torch.device) -> str:
    """Name the processor or GPU that computes, with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor_name()}, {torch.get_num_threads()} threads"
