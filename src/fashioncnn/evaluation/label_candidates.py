"""Pictures whose label may be wrong: candidates for a person to look at, never errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidate:
    """A picture by position; its label, what the network says, and both probabilities."""

    index: int
    label: int
    suggested: int
    label_probability: float
    suggested_probability: float


def candidates(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[Candidate]:
    """Return the candidates, the likeliest first.

    `probabilities` (n, classes) must come from networks that did not train on the picture.
    Confident learning (Northcutt, Jiang, Chuang, JAIR 70, 2021, sec. 3), by cleanlab: from each
    class as many as it is estimated to have wrong, those whose own label is least probable. Of the
    filters there, it finds most (benchmarks/audit_planted.py).
    """
    from cleanlab.filter import find_label_issues

    found = find_label_issues(
        labels,
        probabilities,
        filter_by="prune_by_class",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    return [
        Candidate(
            int(index),
            int(labels[index]),
            int(probabilities[index].argmax()),
            float(probabilities[index, labels[index]]),
            float(probabilities[index].max()),
        )
        for index in found
    ]
