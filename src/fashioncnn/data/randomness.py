"""Independent random streams, each a pure function of a seed and what it is for."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def stream_seed(seed: int, purpose: str, *numbers: int) -> int:
    """Derive a 64-bit seed from the run's `seed`, a `purpose` such as "order", and numbers."""
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])


def generator(seed: int, purpose: str, *numbers: int) -> torch.Generator:
    """Return a generator on the processor at the start of the stream; see `stream_seed`."""
    # torch takes seeds of 63 bits as they are.
    return torch.Generator().manual_seed(stream_seed(seed, purpose, *numbers) >> 1)
