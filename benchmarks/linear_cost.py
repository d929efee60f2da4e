"""Show that training costs the same per picture however many there are, and how much memory.

One epoch of a recipe's network on 10,000 to 60,000 pictures, every training in a process of its
own, sizes alternating. Writes benchmarks/results/linear-cost.json.

Usage: python benchmarks/linear_cost.py [RECIPE] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time

from fashioncnn.benchmarking.commands import run
from fashioncnn.recipes.load import load
from shared import fit, write_result

SIZES = range(10_000, 60_001, 10_000)


def once(recipe_name: str, image_count: int) -> dict[str, float]:
    """Train one epoch on so many pictures, after a warm-up epoch on few; nothing is drawn twice."""
    changes = {
        "training.epochs": 1,
        "schedule.warmup_epochs": 0,
        "data.validation_images": 0,
    }
    recipe = load(recipe_name, changes)
    batch = recipe.training.batch_size
    # The warm-up makes the kernels of whole batches and of the last, smaller one.
    for size in (4 * batch + image_count % batch, image_count):
        training, state = fit(recipe, size)
        before = peak_mib()
        started = time.perf_counter()
        for _ in training.run(state):
            pass
        seconds = time.perf_counter() - started
    return {
        "microseconds_an_image": 1e6 * seconds / image_count,
        "peak_memory_mib": peak_mib(),
        "memory_before_training_mib": before,
    }


def peak_mib() -> float:
    """Return this process's peak memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure every size, several times, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="fast-93")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(once(options.recipe, options.once)))
        return
    measured: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    for _ in range(options.repeats):
        for size in SIZES:
            command = [sys.executable, __file__, options.recipe, "--once", str(size)]
            measured[size].append(run(command).answer)
            print(size, measured[size][-1], flush=True)
    sizes = {
        str(size): {key: statistics.median(one[key] for one in values) for key in values[0]}
        for size, values in measured.items()
    }
    times = [one["microseconds_an_image"] for one in sizes.values()]
    result = {
        "recipe": options.recipe,
        "repeats": options.repeats,
        "median_by_images": sizes,
        "spread_of_time_an_image": (max(times) - min(times)) / statistics.median(times),
    }
    write_result("linear-cost", result)
    print(f"time an image varies by {result['spread_of_time_an_image']:.1%} over the sizes")


if __name__ == "__main__":
    main()
