"""Pictures inside a JSON document: 8-bit greys between two ends, compressed, as text."""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 64 << 20


@dataclass(frozen=True)
class Tiles:
    """Values of `shape`, each one of 256 steps from `low` to `high`; what lay outside is an end.

    `pixels` is base64 of zlib of uint8, in C order.
    """

    shape: tuple[int, ...]
    low: float
    high: float
    pixels: str

    @classmethod
    def of(cls, values: NDArray[Any], low: float | None = None, high: float | None = None) -> Tiles:
        """Keep `values`, of pictures or maps, between their least and largest unless told."""
        if values.dtype == np.uint8:
            low, high, greys = 0.0, 255.0, values
        else:
            low = float(values.min(initial=np.inf)) if low is None else low
            high = float(values.max(initial=-np.inf)) if high is None else high
            low, high = (low, high) if low < high else (low, low + 1.0)
            greys = np.rint((np.clip(values, low, high) - low) / (high - low) * 255)
        packed = zlib.compress(greys.astype(np.uint8).tobytes(), 6)
        return cls(values.shape, low, high, base64.b64encode(packed).decode())

    @property
    def values(self) -> NDArray[np.float32]:
        """The values, float32. Raises ValueError when they are not what `shape` says."""
        size = math.prod(self.shape)
        if size > MAX_PIXELS:
            raise ValueError(f"{size:,} values; at most {MAX_PIXELS:,}")
        unpacked = zlib.decompressobj().decompress(base64.b64decode(self.pixels), size + 1)
        greys = np.frombuffer(unpacked, np.uint8).reshape(self.shape)
        scaled = greys.astype(np.float32) * ((self.high - self.low) / 255) + self.low
        return np.asarray(scaled, np.float32)
