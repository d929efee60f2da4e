"""Show what every part of the training loop takes: the network, and all that is not the network.

Trains a recipe's first epochs under cProfile, in this process, and adds up the calls that the loop
makes. Writes benchmarks/results/<recipe>-profile.json.

Usage: python benchmarks/step_profile.py [RECIPE] [--epochs 3]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats

from fashioncnn.recipes.load import load
from shared import fit, write_result

# Part of the loop: (end of the file's name, function). Each is called by the loop alone.
PARTS = {
    "network, forward": ("lightning_fabric/wrappers.py", "forward"),
    "network, backward": ("lightning_fabric/fabric.py", "backward"),
    "loss": ("torch/nn/modules/loss.py", "forward"),
    "optimiser": ("lightning_fabric/wrappers.py", "step"),
    "batches": ("fashioncnn/data/batches.py", "epoch"),
    "known losses": ("fashioncnn/training/known_losses.py", "note"),
    "looking at the loss": ("fashioncnn/training/loop.py", "_check_finite"),
    "averaging": ("fashioncnn/training/averaging.py", "update"),
}


def main() -> None:
    """Profile, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="fast-94")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    recipe = load(options.recipe)
    training, state = fit(recipe)
    profile = cProfile.Profile()
    records = training.run(state)
    for _ in range(options.epochs):
        profile.enable()
        next(records)
        profile.disable()
    statistics = pstats.Stats(profile).stats  # type: ignore[attr-defined]

    def seconds(file: str, function: str) -> float:
        return sum(
            float(cumulative)
            for (path, _, name), (_, _, _, cumulative, _) in statistics.items()
            if path.endswith(file) and name == function
        )

    whole = seconds("fashioncnn/training/loop.py", "run")
    shares = {part: seconds(*place) / whole for part, place in PARTS.items()}
    shares["everything else"] = 1 - sum(shares.values())
    result = {
        "recipe": recipe.name,
        "epochs": options.epochs,
        "seconds": whole,
        "shares": shares,
    }
    write_result(f"{recipe.name}-profile", result)
    for part, share in shares.items():
        print(f"{part:20}{share:6.1%}")


if __name__ == "__main__":
    main()
