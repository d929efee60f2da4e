"""Show how networks answer photographs: of garments by kind, of other things, and drawn by code.

FOLDER has a folder of photographs a kind, as the `validation` part of
github.com/alexeygrigorev/clothing-dataset-small (CC0); it is not part of the project. The
conversion and the recipe were chosen on the photographs at even positions by name (the choosing
half); the others are reported beside them. 200 pictures of no garment and 1,000 test pictures,
photographed by code, are those of drawn_photographs.py. The network that comes along is asked, and
RUNs of the same recipe, which show the spread. Writes results/photographs.json.

Usage: python benchmarks/photographs.py FOLDER [RUN…]
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drawn_photographs import GROUNDS, OTHERS, photographed
from fashioncnn.bundles.bundle import Bundle
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.answers import Model, Prediction, predict_prepared
from fashioncnn.evaluation.intervals import wilson
from fashioncnn.opening.models import own_bundle
from fashioncnn.opening.runs import open_runs
from fashioncnn.opening.trained import Trained, open_trained
from fashioncnn.photos.convert import DOUBTS
from fashioncnn.photos.files import read_picture
from fashioncnn.photos.pictures import PHOTOGRAPH_SIDE, Prepared, prepare
from fashioncnn.workflows.evaluate import evaluate_trained
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
NO_GARMENT = ("hat", "shorts", "skirt")
KINDS = (*RIGHT, "shoes", *NO_GARMENT)
DRAWN, PHOTOGRAPHED = 200, 1000
# The share of garments that is answered where abstentions are compared.
ANSWERED = 0.9
Photographs = Mapping[str, Sequence[Prepared]]
Said = Mapping[str, Sequence[Prediction]]


def read(path: Path) -> Image.Image:
    """Return a photograph as `predict` reads it."""
    return read_picture(path, PHOTOGRAPH_SIDE)


def converted(picture: Image.Image) -> Prepared:
    """Return what `predict` makes of a photograph."""
    return prepare(picture, (1, 28, 28), photographs=True)


def of_file(path: Path) -> Prepared:
    """Return what `predict` makes of a file."""
    return converted(read(path))


def of_drawing(number: int) -> Prepared:
    """Return what `predict` makes of picture `number` of no garment."""
    draw = list(OTHERS.values())[number % len(OTHERS)]
    return converted(draw(np.random.default_rng([1, number])))


def of_test_picture(numbered: tuple[int, NDArray[np.uint8]]) -> Prepared:
    """Return what `predict` makes of a test picture that is photographed by code."""
    number, picture_HW = numbered
    ground = list(GROUNDS)[number % len(GROUNDS)]
    return converted(photographed(picture_HW, ground, np.random.default_rng([2, number])))


def files_of_half(folder: Path, odd: bool) -> dict[str, list[Path]]:
    """Return every second photograph of each kind."""
    return {kind: sorted((folder / kind).iterdir())[odd::2] for kind in KINDS}


def ask(model: Model, prepared: Sequence[Prepared]) -> list[Prediction]:
    """Return what a network says of pictures."""
    return list(predict_prepared(model, dict(enumerate(prepared))).values())


def likeliest(found: Prediction) -> str:
    """Return the class that would be answered without abstaining."""
    return found.probabilities[0][0]


def share(wanted: Sequence[bool]) -> float:
    """Return how many are true, of all."""
    return float(np.mean(wanted))


def abstained(several: Sequence[Prediction]) -> float:
    """Return the share without an answer."""
    return share([one.answer is None for one in several])


def mean_of_kinds(by_kind: Said) -> float:
    """Return the mean over the kinds of garments of the share right, without abstaining."""
    return float(
        np.mean([share([likeliest(one) in RIGHT[kind] for one in by_kind[kind]]) for kind in RIGHT])
    )


def at_nine_of_ten(garments: Sequence[Prediction], unknown: Sequence[Prediction]) -> float:
    """Return the share of `unknown` below the energy that nine of ten garments reach.

    What the conversion itself finds doubtful is below any.
    """
    known, others = (
        np.array([-math.inf if doubtful(one) else one.energy for one in several])
        for several in (garments, unknown)
    )
    limit = np.quantile(known, 1 - ANSWERED, method="higher")
    return float((others < limit).mean())


def doubtful(found: Prediction) -> bool:
    """Say whether the answer was held back for what the conversion saw."""
    return any(words in DOUBTS for words in found.warnings)


def of_photographs(by_kind: Said, drawn: Sequence[Prediction]) -> dict[str, Any]:
    """Return the figures of what a network answered for photographs by kind, and for drawings."""
    garments = [one for kind in RIGHT for one in by_kind[kind]]
    others = [one for kind in NO_GARMENT for one in by_kind[kind]]
    right = {kind: [likeliest(one) in RIGHT[kind] for one in by_kind[kind]] for kind in RIGHT}
    return {
        "n": {kind: len(several) for kind, several in by_kind.items()},
        "right": {kind: share(found) for kind, found in right.items()},
        "right_mean_of_kinds": mean_of_kinds(by_kind),
        "right_of_all": sum(map(sum, right.values())),
        "bag": share([likeliest(one) == "Bag" for one in garments]),
        "garments_answered": 1 - abstained(garments),
        "others_abstained": abstained(others),
        "others_and_drawn_at_nine_of_ten": at_nine_of_ten(garments, [*others, *drawn]),
        "shoes_right_or_abstained": share(
            [one.answer is None or one.answer in SHOES for one in by_kind["shoes"]]
        ),
    }


def of_code(
    model: Model,
    drawn: Sequence[Prediction],
    tested: LabelledImages,
    test: Sequence[Prepared],
) -> dict[str, Any]:
    """Return the figures of what a network answers for what was drawn by code.

    `test` are the pictures `tested`, photographed.
    """
    names = [model.class_names[label] for label in model.predictions(tested).predicted]
    again = ask(model, test)
    kept = [likeliest(one) == name for one, name in zip(again, names, strict=True)]
    return {
        "drawn_abstained": abstained(drawn),
        "drawn_abstained_by_kind": {
            kind: abstained(drawn[number :: len(OTHERS)]) for number, kind in enumerate(OTHERS)
        },
        "photographed_kept": share(kept),
        "photographed_kept_by_ground": {
            ground: share(kept[number :: len(GROUNDS)]) for number, ground in enumerate(GROUNDS)
        },
        "photographed_answered": 1 - abstained(again),
    }


def recipe_of(model: Trained | Bundle) -> str:
    """Return the name of the recipe that trained a network."""
    return model.facts.recipe if isinstance(model, Bundle) else model.recipe.name


def test_accuracy(model: Trained | Bundle) -> float:
    """Return the share of test pictures that a network answers right."""
    if isinstance(model, Bundle):
        return model.facts.test.accuracy.value
    return evaluate_trained(model).accuracy


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation, in percent."""
    mean = f"{100 * float(np.mean(values)):.1f}"
    return mean if len(values) < 2 else f"{mean} ± {100 * float(np.std(values, ddof=1)):.1f}"


def main() -> None:
    """Convert everything once, ask each network, tell each half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", nargs="*", type=Path)
    options = parser.parse_args()
    runs = [open_trained(run, "best") for run in open_runs(options.runs)]
    opened: list[Trained | Bundle] = [own_bundle(), *runs]
    told: dict[str, Any] = {
        "command": f"python benchmarks/photographs.py FOLDER{' RUNS' if options.runs else ''}",
        "recipe": recipe_of(opened[0]),
        "n": len(opened),
        "test_accuracy": [test_accuracy(one) for one in opened],
    }
    tested = DataSet().test.take(np.arange(PHOTOGRAPHED))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        halves: dict[str, Photographs] = {
            name: {
                kind: list(pool.map(of_file, files))
                for kind, files in files_of_half(options.folder, odd).items()
            }
            for name, odd in (("choosing", False), ("other", True))
        }
        drawn = list(pool.map(of_drawing, range(DRAWN), chunksize=10))
        test = list(pool.map(of_test_picture, enumerate(tested.images_NHWC[..., 0]), chunksize=10))
    told |= {"sureness": [asdict(one.sureness) for one in opened], "by_code": []}
    told |= {"choosing": [], "other": [], "both": [], "over_photographs": {}}
    for one in opened:
        of_drawn = ask(one, drawn)
        told["by_code"].append(of_code(one, of_drawn, tested, test))
        said: dict[str, Said] = {
            name: {kind: ask(one, several) for kind, several in half.items()}
            for name, half in halves.items()
        }
        said["both"] = {kind: [*said["choosing"][kind], *said["other"][kind]] for kind in KINDS}
        for name, by_kind in said.items():
            told[name].append(of_photographs(by_kind, of_drawn))
    tell(told)
    write_result("photographs", told)


def tell(told: dict[str, Any]) -> None:
    """Print the figures; put intervals over the photographs beside them."""
    for name in ("choosing", "other", "both"):
        found = told[name]
        count = sum(found[0]["n"][kind] for kind in RIGHT)
        print(f"{name}: {count} garments, {len(found)} networks, percent")
        for key in found[0]:
            if isinstance(found[0][key], float):
                print(f"  {key}: {spread([one[key] for one in found])}")
        for kind in RIGHT:
            print(f"    {kind}: {spread([one['right'][kind] for one in found])}")
        interval = wilson(round(float(np.mean([one["right_of_all"] for one in found]))), count)
        told["over_photographs"][name] = [interval.low, interval.high]
        print(f"  95 % over photographs: {100 * interval.low:.1f} to {100 * interval.high:.1f}")
    for key, value in told["by_code"][0].items():
        for part in value if isinstance(value, dict) else [None]:
            values = [one[key] if part is None else one[key][part] for one in told["by_code"]]
            print(f"  {key}{'' if part is None else f', {part}'}: {spread(values)}")


if __name__ == "__main__":
    main()
