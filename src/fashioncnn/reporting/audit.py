"""From what a data audit found to the document of its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.label_candidates import Candidate
from fashioncnn.reporting.documents.audit import CandidateSheet, PairPart, PairSheet
from fashioncnn.reporting.tiles import Tiles

PAIRS_SHOWN = 16
CANDIDATES_SHOWN = 40


def pair_sheet(
    pairs: Sequence[Any],
    words: Callable[[Any], str],
    train: LabelledImages,
    test: LabelledImages,
) -> PairSheet | None:
    """Return the first pairs of pictures by position, the training pictures before those of test.

    None where there is no pair.
    """
    if not pairs:
        return None
    parts, images = [], []
    for pair in pairs[:PAIRS_SHOWN]:
        both = [_picture(position, train, test) for position in (pair.first, pair.second)]
        images.append(np.stack([image for *_, image in both]))
        (split, index, label, _), (other_split, other_index, other_label, _) = both
        parts.append(
            PairPart((split, other_split), (index, other_index), (label, other_label), words(pair))
        )
    return PairSheet(tuple(parts), Tiles.of(np.stack(images)))


def candidate_sheet(found: Sequence[Candidate], pictures: LabelledImages) -> CandidateSheet | None:
    """Return the likeliest candidates, None where there is none."""
    some = found[:CANDIDATES_SHOWN]
    if not some:
        return None
    return CandidateSheet(
        tuple(one.index for one in some),
        tuple(one.label for one in some),
        tuple(one.suggested for one in some),
        tuple(one.suggested_probability for one in some),
        Tiles.of(pictures.images_NHWC[[one.index for one in some]]),
    )


def _picture(
    position: int, train: LabelledImages, test: LabelledImages
) -> tuple[str, int, int, NDArray[np.uint8]]:
    pictures, split, index = train, "train", position
    if position >= len(train):
        pictures, split, index = test, "test", position - len(train)
    return split, index, int(pictures.labels[index]), pictures.images_NHWC[index]
