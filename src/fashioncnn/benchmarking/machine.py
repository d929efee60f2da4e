"""What a machine is, and what it can do at best: matrix products, memory copies."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from fashioncnn.training.device import hardware, has_bf16

# Long enough for a steady clock, short enough to wait for; the best of the repeats counts.
FEWEST_REPEATS, REPEATS, ENOUGH = 3, 12, 1.0
MATRIX_SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
COPIED_BYTES = 256 << 20


@dataclass(frozen=True)
class Machine:
    """Peaks are in GFLOP/s and GB/s (10⁹ a second); bf16 is None without its instructions."""

    hardware: str
    threads: int
    cores: int
    memory_gib: float
    system: str
    fp32_gflops: float
    bf16_gflops: float | None
    memory_gb_per_second: float

    def to_json(self) -> dict[str, Any]:
        """Return every field by name."""
        return asdict(self)


def measure_machine(device: torch.device) -> Machine:
    """Measure the peaks of `device` with what threads torch has; about two seconds."""
    bf16 = has_bf16(device.type)
    return Machine(
        hardware=hardware(device),
        threads=torch.get_num_threads(),
        cores=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=platform.platform(),
        fp32_gflops=_matrix_peak(device, torch.float32),
        bf16_gflops=_matrix_peak(device, torch.bfloat16) if bf16 else None,
        memory_gb_per_second=_copy_peak(device),
    )


def matrix_peak(device: torch.device, precision: str) -> float:
    """Return the peak of matrix products, GFLOP/s, for "bf16" or "fp32"."""
    bf16 = precision == "bf16" and has_bf16(device.type)
    return _matrix_peak(device, torch.bfloat16 if bf16 else torch.float32)


def _matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    size = MATRIX_SIZE[device.type]
    one = torch.randn(size, size, device=device).to(dtype)
    other = torch.randn(size, size, device=device).to(dtype)
    return 2 * size**3 / _best_seconds(lambda: one @ other, device) / 1e9


def _copy_peak(device: torch.device) -> float:
    """Copy memory far larger than any cache; every byte is read once and written once."""
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return 2 * COPIED_BYTES / _best_seconds(lambda: target.copy_(source), device) / 1e9


def _best_seconds(work: Callable[[], object], device: torch.device) -> float:
    seconds: list[float] = []
    while len(seconds) < FEWEST_REPEATS or (len(seconds) < REPEATS and sum(seconds) < ENOUGH):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
