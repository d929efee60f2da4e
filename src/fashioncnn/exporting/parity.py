"""Does an ONNX file answer as its network does in PyTorch?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import PROBABILITIES, run_session
from fashioncnn.bundles.facts import Parity
from fashioncnn.errors import BundleError

MOST_DIFFERENT = 1e-4
BATCHES = (1, 7, 256)
RANDOM_PICTURES = 256


def odd_pictures(shape_HWC: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return pictures unlike any in a data set: noise of one seed, all black, all white."""
    noise = np.random.default_rng(0).integers(0, 256, (RANDOM_PICTURES, *shape_HWC), np.uint8)
    flat = np.stack([np.full(shape_HWC, grey, np.uint8) for grey in (0, 255)])
    return np.concatenate([noise, flat])


def check_parity(
    session: Any, images_NHWC: NDArray[np.uint8], probabilities: NDArray[np.float64]
) -> Parity:
    """Compare with what PyTorch answers for the same pictures, (n, classes).

    All at once, and some in batches of 1, 7 and 256. Raises BundleError when a probability differs
    by more than 1e-4, or an answer changes.
    """
    (answered,) = run_session(session, images_NHWC, [PROBABILITIES])
    differences = [np.abs(answered - probabilities).max()]
    few = images_NHWC[: sum(BATCHES)]
    for size in BATCHES:
        (part,) = run_session(session, few, [PROBABILITIES], size)
        differences.append(np.abs(part - probabilities[: len(few)]).max())
    largest = float(max(differences))
    changed = int((answered.argmax(1) != probabilities.argmax(1)).sum())
    # Not a number compares as neither more nor less.
    if not largest <= MOST_DIFFERENT or changed:
        raise BundleError(
            "the ONNX file answers otherwise than PyTorch: probabilities differ by up to "
            f"{largest:.2g} (at most {MOST_DIFFERENT:g}), {changed} of {len(images_NHWC):,} "
            "answers changed; nothing was written"
        )
    return Parity(images=len(images_NHWC), largest_difference=largest, changed_answers=changed)
