"""Show how networks answer photographs of clothes: by kind, on two halves, and what is abstained.

FOLDER has a folder of photographs a kind, as the `validation` part of
github.com/alexeygrigorev/clothing-dataset-small (CC0); it is not part of the project. The
conversion and the recipe were chosen on the photographs at even positions by name (the choosing
half); the others are reported beside them. Writes results/photographs.json.

Usage: python benchmarks/photographs.py FOLDER RUN…
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashioncnn.evaluation.answers import PHOTOGRAPH_NOT_SURE_BELOW, Prediction
from fashioncnn.evaluation.intervals import wilson
from fashioncnn.opening.runs import open_runs
from fashioncnn.opening.trained import open_trained
from fashioncnn.workflows.predict import predict
from shared import write_result

RIGHT = {
    "dress": ("Dress",),
    "longsleeve": ("T-shirt/top", "Pullover", "Shirt"),
    "outwear": ("Coat",),
    "pants": ("Trouser",),
    "shirt": ("Shirt",),
    "t-shirt": ("T-shirt/top",),
}
SHOES = ("Sandal", "Sneaker", "Ankle boot")
OTHERS = ("hat", "shorts", "skirt")


def likeliest(found: Prediction) -> str:
    """Return the class that would be answered without abstaining."""
    return found.probabilities[0][0]


def half(folder: Path, run: Any, odd: bool) -> dict[str, Any]:
    """Return what a network answers for every second photograph of each kind."""
    by_kind = {
        kind: predict(sorted((folder / kind).iterdir())[odd::2], run)
        for kind in (*RIGHT, "shoes", *OTHERS)
    }
    garments = [one for kind in RIGHT for one in by_kind[kind]]
    others = [one for kind in OTHERS for one in by_kind[kind]]
    right = {
        kind: [likeliest(one) in answers for one in by_kind[kind]]
        for kind, answers in RIGHT.items()
    }
    return {
        "n": {kind: len(several) for kind, several in by_kind.items()},
        "right": {kind: float(np.mean(found)) for kind, found in right.items()},
        "right_mean_of_kinds": float(np.mean([np.mean(found) for found in right.values()])),
        "right_of_all": sum(map(sum, right.values())),
        "bag": float(np.mean([likeliest(one) == "Bag" for one in garments])),
        "garments_answered": float(np.mean([one.answer is not None for one in garments])),
        "others_abstained": float(np.mean([one.answer is None for one in others])),
        "shoes_right_or_abstained": float(
            np.mean([one.answer is None or one.answer in SHOES for one in by_kind["shoes"]])
        ),
    }


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation, in percent."""
    mean = f"{100 * float(np.mean(values)):.1f}"
    return mean if len(values) < 2 else f"{mean} ± {100 * float(np.std(values, ddof=1)):.1f}"


def main() -> None:
    """Ask each network, tell each half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", nargs="+", type=Path)
    options = parser.parse_args()
    opened = [open_trained(run, "best") for run in open_runs(options.runs)]
    halves = {
        name: [half(options.folder, one, odd) for one in opened]
        for name, odd in (("choosing", False), ("other", True))
    }
    for name, found in halves.items():
        count = sum(found[0]["n"][kind] for kind in RIGHT)
        print(f"{name} half: {count} garments, {len(found)} networks, percent")
        for key in ("right_mean_of_kinds", "bag", "garments_answered", "others_abstained"):
            print(f"  {key}: {spread([one[key] for one in found])}")
        print(
            f"  shoes_right_or_abstained: {spread([o['shoes_right_or_abstained'] for o in found])}"
        )
        for kind in RIGHT:
            print(f"    {kind}: {spread([one['right'][kind] for one in found])}")
        interval = wilson(round(float(np.mean([one["right_of_all"] for one in found]))), count)
        print(f"  95 % over photographs: {100 * interval.low:.1f} to {100 * interval.high:.1f}")
    write_result(
        "photographs",
        {"recipe": opened[0].recipe.name, "not_sure_below": PHOTOGRAPH_NOT_SURE_BELOW} | halves,
    )


if __name__ == "__main__":
    main()
