"""bench machine: what this machine can do at best."""

from __future__ import annotations

from fashioncnn.benchmarking.machine import Machine, measure_machine
from fashioncnn.training.device import DeviceName, choose_device


def bench_machine(*, device: DeviceName = "auto") -> Machine:
    """Measure the peaks of matrix products and of memory copies. DeviceError without the device."""
    return measure_machine(choose_device(device))
