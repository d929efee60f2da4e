"""Show what each part of the conversion of photographs, and of the recipe `photo`, is worth.

The recipe is trained with one part left out, a network a seed, two at a time on a thread each; and
photographs are converted with one step left out, for the networks of the whole recipe. FOLDER and
the two halves are those of photographs.py. Runs that are there already, in runs/photograph-parts,
are not trained again. Writes results/photograph_parts.json.

Usage: python benchmarks/photograph_parts.py FOLDER [--seeds 2]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fashioncnn.opening.trained import Trained, open_trained
from fashioncnn.photos.convert import (
    WIDEST,
    cut_out,
    fitted,
    negated,
    shrunk,
    toned,
    with_mirrored,
)
from fashioncnn.photos.outline import find_outline
from fashioncnn.photos.pictures import Prepared
from photographs import (
    DRAWN,
    NO_GARMENT,
    RIGHT,
    ask,
    at_nine_of_ten,
    files_of_half,
    mean_of_kinds,
    of_drawing,
    of_file,
    read,
    spread,
)
from shared import ROOT, side_by_side, train_on_one_thread, write_result

RUNS = ROOT / "runs" / "photograph-parts"
WHOLE = "nothing"
OFF = "augmentation.{}_probability=0"
SHOES = ("Sandal", "Sneaker", '"Ankle boot"')
# What is left out, and how.
PARTS: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    "as photographed": (OFF.format("photographed"), OFF.format("by_class.Coat.photographed")),
    "sleeves that lie spread": tuple(
        OFF.format(f"by_class.{name}.spread_sleeves") for name in ("Pullover", "Shirt", "Coat")
    ),
    "pictures of no class": (
        OFF.format("drawn"),
        OFF.format("shuffled"),
        OFF.format("by_class.Trouser.upper_part"),
        OFF.format("by_class.Dress.lower_part"),
        *(OFF.format(f"by_class.{name}.pair") for name in SHOES),
    ),
    "the smaller weight of coats": ("loss.class_weights.Coat=1",),
}
Halves = Mapping[bool, Mapping[str, Sequence[Prepared]]]


def converted_so(
    photo: Image.Image,
    *,
    outlined: bool = True,
    negative: bool = True,
    shifted: bool = True,
    widest: Sequence[float] = WIDEST,
    mirrored: bool = True,
) -> Prepared:
    """Convert a photograph, some steps left out."""
    rgb_HWC = shrunk(np.asarray(photo.convert("RGB")))
    whole = np.ones(rgb_HWC.shape[:2], np.bool_)
    outline = find_outline(rgb_HWC).mask if outlined else whole
    used = outline if outline.any() else whole
    shades = negated(rgb_HWC) if negative else 255 - negated(rgb_HWC)
    garment = cut_out(toned(shades, used) if shifted else np.maximum(shades, 1), used)
    images = np.stack([fitted(garment, one) for one in widest])
    return Prepared((with_mirrored(images) if mirrored else images)[..., None])


STEPS: dict[str, Callable[[Image.Image], Prepared]] = {
    "as it is": converted_so,
    "no outline: the whole photograph": partial(converted_so, outlined=False),
    "not negated": partial(converted_so, negative=False),
    "shades as they come": partial(converted_so, shifted=False),
    "only as wide as it is": partial(converted_so, widest=(math.inf,)),
    "only squeezed to 1": partial(converted_so, widest=(1.0,)),
    "only squeezed to 0.85": partial(converted_so, widest=(0.85,)),
    "not mirrored": partial(converted_so, mirrored=False),
}


def trained_without(part: str, seed: int) -> Trained:
    """Return a network of `photo` without a part of it."""
    folder = RUNS / part.replace(" ", "-")
    if not (found := sorted(folder.glob(f"photo/*-s{seed}"))):
        changes = [word for change in PARTS[part] for word in ("--set", change)]
        found = [train_on_one_thread("photo", "--seed", str(seed), "--out", str(folder), *changes)]
    return open_trained(found[-1], "best")


def of_networks(opened: Sequence[Trained], halves: Halves, drawn: Sequence[Prepared]) -> Any:
    """Return what networks without a part answer: a list a figure, a value a network."""
    found: dict[str, list[float]] = {"choosing": [], "other": [], "unknown": [], "validation": []}
    for one in opened:
        said = {
            odd: {kind: ask(one, several) for kind, several in half.items()}
            for odd, half in halves.items()
        }
        garments = [found for half in said.values() for kind in RIGHT for found in half[kind]]
        others = [found for half in said.values() for kind in NO_GARMENT for found in half[kind]]
        found["choosing"].append(mean_of_kinds(said[False]))
        found["other"].append(mean_of_kinds(said[True]))
        found["unknown"].append(at_nine_of_ten(garments, [*others, *ask(one, drawn)]))
        found["validation"].append(one.run.metrics[-1]["val/accuracy"])
    return found


def of_steps(folder: Path, opened: Sequence[Trained]) -> dict[str, dict[str, list[float]]]:
    """Return the mean of kinds of each network by half, by which step is left out."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in STEPS}
    for half, odd in (("choosing", False), ("other", True)):
        photos = {
            kind: [read(path) for path in files]
            for kind, files in files_of_half(folder, odd).items()
            if kind in RIGHT
        }
        for name, convert in STEPS.items():
            made = {kind: [convert(one) for one in several] for kind, several in photos.items()}
            found[name][half] = [
                mean_of_kinds({kind: ask(one, several) for kind, several in made.items()})
                for one in opened
            ]
            print(f"{half} half, {name}: {spread(found[name][half])}", flush=True)
    return found


def main() -> None:
    """Train what is missing, ask all networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    jobs = [(part, seed) for seed in range(options.seeds) for part in PARTS]
    opened = dict(zip(jobs, side_by_side(lambda job: trained_without(*job), jobs), strict=True))
    halves: Halves = {
        odd: {
            kind: [of_file(path) for path in files]
            for kind, files in files_of_half(options.folder, odd).items()
        }
        for odd in (False, True)
    }
    drawn = [of_drawing(number) for number in range(DRAWN)]
    parts = {}
    for part in PARTS:
        networks = [opened[part, seed] for seed in range(options.seeds)]
        parts[part] = of_networks(networks, halves, drawn)
        print(part, {key: spread(values) for key, values in parts[part].items()}, flush=True)
    whole = [opened[WHOLE, seed] for seed in range(options.seeds)]
    write_result(
        "photograph_parts",
        {
            "command": "python benchmarks/photograph_parts.py FOLDER",
            "n": options.seeds,
            "parts": parts,
            "steps": of_steps(options.folder, whole),
        },
    )


if __name__ == "__main__":
    main()
