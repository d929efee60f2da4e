"""Show how long a folder of many photographs takes to open: the first time, and again.

Links the given photographs over and over, under other names, into folders of five classes, with a
cache of its own. Writes results/folder-opening.json.

Usage: python benchmarks/folder_opening.py PHOTOS [--count 100000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from fashioncnn.benchmarking.commands import run
from fashioncnn.evaluation.summary import summarise
from shared import write_result

CLASSES = 5
# Files that have just been changed are always read.
SETTLING_SECONDS = 2.5
OPEN = """
import json, sys, time
from pathlib import Path
from fashioncnn.data.dataset import DataSet
started = time.perf_counter()
count = len(DataSet(Path(sys.argv[1])).train)
print(json.dumps({"count": count, "seconds": time.perf_counter() - started}))
"""


def link(photos: list[Path], count: int, folder: Path) -> None:
    """Fill `folder` with `count` files in folders of classes."""
    copies = [
        shutil.copy(photo, folder / f".{number}{photo.suffix}")
        for number, photo in enumerate(photos)
    ]
    for number in range(count):
        into = folder / f"class {number % CLASSES}"
        into.mkdir(exist_ok=True)
        copy = Path(copies[number % len(copies)])
        os.link(copy, into / f"{number:07d}{copy.suffix}")


def main() -> None:
    """Link, open, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    photos = sorted(options.photos.rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "many"
        folder.mkdir()
        link(photos, options.count, folder)
        time.sleep(SETTLING_SECONDS)
        cache = {"XDG_CACHE_HOME": name}
        opened = [
            run([sys.executable, "-c", OPEN, str(folder)], cache)
            for _ in range(1 + options.repeats)
        ]
    first, *again = opened
    facts = {
        "command": "python benchmarks/folder_opening.py ../shared/photos",
        "files": options.count,
        "mean_bytes": sum(photo.stat().st_size for photo in photos) // len(photos),
        "train_pictures": first.answer["count"],
        "first_seconds": first.answer["seconds"],
        "first_peak_memory_mib": first.peak_memory_mib,
        **summarise([{"again_seconds": one.answer["seconds"]} for one in again]),
    }
    print(facts)
    write_result("folder-opening", facts)


if __name__ == "__main__":
    main()
