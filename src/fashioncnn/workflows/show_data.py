"""data show: what a source of pictures holds, and what is odd about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from pathlib import Path

from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.sources.base import Part, Size
from fashioncnn.data.sources.folders import Folders
from fashioncnn.opening.data import Data, open_data
from fashioncnn.reporting.figures import samples
from fashioncnn.runs.files import write_bytes

# Of the mean class: smaller ones are near-empty.
NEAR_EMPTY = 0.1


@dataclass(frozen=True)
class DataFacts:
    """What a data set is: `counts` are pictures by split and class; `odd` what to look at."""

    name: str
    kind: str
    class_names: tuple[str, ...]
    shape: Shape
    counts: dict[str, tuple[int, ...]]
    digests: dict[str, str]
    odd: tuple[str, ...]


def show_data(
    source: Data = None, *, sheet: Path | str | None = None, size: Size | None = None
) -> DataFacts:
    """Count the pictures of `source` and look for what is odd; draw samples to the PNG `sheet`.

    Raises DataError when the source cannot be read, StorageError when the sheet cannot be written.
    """
    data = open_data(source, size)
    parts = data.brought()
    train = parts["train"]
    if sheet is not None:
        png = BytesIO()
        samples.sheet(train).png(120).save(png, "PNG")
        write_bytes(Path(sheet), png.getvalue())
    odd = [f"left out: {one}" for one in data.source.left_out]
    if isinstance(data.source, Folders) and data.source.mixed:
        sizes = data.source.sizes
        (height, width), most = sizes.most_common(1)[0]
        told = f"{height} x {width} pixels"
        if len(sizes) > 1:
            told = f"{len(sizes):,} sizes, {height} x {width} the most frequent ({most:,})"
        odd.append(f"{told}: all are made {train.shape.height} x {train.shape.width}")
    odd += [*_near_empty(parts), *_copies(parts)]
    if "test" not in parts:
        odd.append("no test pictures: some will be set aside, of every class in proportion")
    return DataFacts(
        data.name,
        data.source.kind,
        data.class_names,
        train.shape,
        {part: tuple(map(int, one.counts())) for part, one in parts.items()},
        {part: one.digest for part, one in parts.items()},
        tuple(odd),
    )


def _near_empty(parts: dict[Part, LabelledImages]) -> list[str]:
    found = []
    for part, pictures in parts.items():
        counts = pictures.counts()
        for name, count in zip(pictures.class_names, counts, strict=True):
            if count < NEAR_EMPTY * counts.mean():
                found.append(f"{part}: {count:,} pictures of {name}, {counts.mean():,.0f} a class")
    return found


def _copies(parts: dict[Part, LabelledImages]) -> list[str]:
    """Say how many pictures are the same, pixel by pixel, within and across splits."""
    digests = {part: one.picture_digests() for part, one in parts.items()}
    seen = {part: Counter(found) for part, found in digests.items()}
    found = [
        f"{copies:,} pictures of {part} are there more than once"
        for part, counts in seen.items()
        if (copies := sum(count - 1 for count in counts.values()))
    ]
    classes: dict[bytes, set[int]] = {}
    for part, one in parts.items():
        for digest, label in zip(digests[part], one.labels.tolist(), strict=True):
            classes.setdefault(digest, set()).add(label)
    if unclear := sum(len(labels) > 1 for labels in classes.values()):
        found.append(f"{unclear:,} pictures are in more than one class")
    for first, second in combinations(seen, 2):
        if shared := sum(seen[second][one] for one in seen[first].keys() & seen[second].keys()):
            found.append(f"{shared:,} pictures of {second} are in {first}, too")
    return found
