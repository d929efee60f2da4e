"""What the server takes, and for how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one server; beyond them a request is refused with a sentence that names the bound.

    `queue` requests wait at most, with `queue_bytes` in all; `batch` pictures are answered at once.
    """

    body_bytes: int = 16 << 20
    files: int = 64
    pictures: int = 1024
    pixels: int = 16_000_000
    queue: int = 128
    queue_bytes: int = 64 << 20
    connections: int = 1024
    head_bytes: int = 64 << 10
    worker_memory_bytes: int = 3 << 30
    batch: int = 64
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    answer_seconds: float = 30.0
    keep_alive_seconds: int = 20
    drain_seconds: int = 30
