"""How many planted label flips cleanlab's filters find; the data audit takes the first of them.

One per cent of the training labels are flipped at random.
Flips are uniform over the other classes. Recall is over the planted; precision counts as wrong
what is not planted, doubtful labels of the real data among them, so it is a lower bound: beside
it stands the share of the planted among as many of the likeliest as were planted. Writes
results/audit-planted.json.

Usage: python benchmarks/audit_planted.py [--recipe fast-92]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
from cleanlab.filter import find_label_issues

from fashioncnn.data.dataset import DataSet
from fashioncnn.recipes.load import load
from fashioncnn.workflows.audit import out_of_fold
from shared import write_result

FILTERS = ("prune_by_class", "prune_by_noise_rate", "both", "confident_learning")
SHARE = 0.01


def main() -> None:
    """Plant, audit, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="fast-92")
    recipe = parser.parse_args().recipe
    data = DataSet()
    train, test = data.train, data.test
    random = np.random.default_rng(0)
    planted = random.permutation(len(train))[: round(SHARE * len(train))]
    labels = train.labels.copy()
    labels[planted] = (labels[planted] + random.integers(1, 10, len(planted))) % 10
    flipped = replace(train, labels=labels)
    chosen = load(recipe, ["data.validation_images=0"])
    probabilities, _, _ = out_of_fold(chosen, flipped, test, 0, "cpu")

    def figures(found: np.ndarray) -> dict[str, float]:
        hits = np.isin(found, planted)
        return {
            "candidates": len(found),
            "recall": float(hits.sum() / len(planted)),
            "precision": float(hits.mean()),
            "precision_of_the_likeliest": float(hits[: len(planted)].mean()),
        }

    result = {
        "recipe": recipe,
        "planted": len(planted),
        "filters": {
            name: figures(
                find_label_issues(
                    labels,
                    probabilities,
                    filter_by=name,
                    return_indices_ranked_by="self_confidence",
                    n_jobs=1,
                )
            )
            for name in FILTERS
        },
    }
    write_result("audit-planted", result)
    print(json.dumps(result["filters"], indent=2))


if __name__ == "__main__":
    main()
