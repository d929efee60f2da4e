"""The page of a data audit: what was found, as figures and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fashioncnn.data.images import LabelledImages
from fashioncnn.reporting.figures import audit as figures
from fashioncnn.reporting.figures.figure_files import keep
from fashioncnn.reporting.html import Picture, picture, write_page

CANDIDATES_CAPTION = (
    "The likeliest first: above each what networks that did not train on it say, below it the "
    "label. Candidates, not errors: of such flags, people confirm about half (Northcutt et al., "
    "arXiv 2103.14749)."
)
PAIRS_CAPTIONS = {
    "across": "The nearest pairs: on the left the training picture, on the right the test picture, "
    "with the root of their mean squared difference in greys of 0 to 255.",
    "alike_across": "A training picture, left, and a test picture, right, that a network's last "
    "features hardly tell apart, with the cosine of their angle: the same article photographed "
    "twice, or articles that differ in what the network does not look at.",
    "alike_labelled_differently": "Pictures of different labels that a network's last features "
    "hardly tell apart. One label may be wrong, or both right and the pictures too small to tell.",
}


def write(
    found: Mapping[str, Any], train: LabelledImages, test: LabelledImages, folder: Path
) -> Path:
    """Draw the figures into `folder` and write its audit.html; returns the page's path."""
    count = found["train_images"]
    across = [pair for pair in found["pairs"] if pair["first"] < count <= pair["second"]]
    sheets = {}
    for name, caption in PAIRS_CAPTIONS.items():
        if pairs := across if name == "across" else found[name]:
            make = partial(figures.pairs, pairs, train, test)
            sheets[name] = _sheet(f"pairs_{name}", make, folder, caption)
    for name, pictures in (("train", train), ("test", test)):
        if some := found[f"{name}_candidates"]:
            make = partial(figures.candidates, some, pictures)
            sheets[name] = _sheet(f"{name}_candidates", make, folder, CANDIDATES_CAPTION)
    exact = sum(pair["rms"] == 0 for pair in found["pairs"])
    return write_page(
        "audit.html.j2",
        folder / "audit.html",
        found=found,
        across=across,
        exact=exact,
        sheets=sheets,
    )


def _sheet(name: str, make: Callable[[], Figure], folder: Path, caption: str) -> Picture:
    return picture(keep(name, make, folder), caption)
