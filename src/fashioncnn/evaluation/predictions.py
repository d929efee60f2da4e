"""What a network answered for the pictures of one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of logits, and of numbers that a run keeps: the squares of larger ones come near float32's end.
LARGEST = 1e15


@dataclass(frozen=True)
class Predictions:
    """`logits` float32 (n, classes); `labels` and `indices` in the split int64 (n,)."""

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    class_names: tuple[str, ...]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most likely class of each picture (n,)."""
        return np.asarray(self.logits.argmax(axis=1))

    @property
    def log_probabilities(self) -> NDArray[np.float64]:
        """Natural logarithms of the softmax (n, classes), in float64."""
        logits = self.logits.astype(np.float64)
        logits = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))

    def at_temperature(self, temperature: float) -> Predictions:
        """Return the same answers with the logits divided by `temperature`."""
        return replace(self, logits=self.logits / np.float32(temperature))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what predictions.npz holds."""
        return {
            "logits": self.logits,
            "labels": self.labels,
            "indices": self.indices,
            "class_names": np.array(self.class_names),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Predictions:
        """Inverse of `arrays`; KeyError when something is missing."""
        names = tuple(str(name) for name in arrays["class_names"])
        return cls(arrays["logits"], arrays["labels"], arrays["indices"], names)
