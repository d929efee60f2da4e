"""When an answer to a photograph is sure: several pictures together, limits, and what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fashioncnn as fc
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.answers import UNLIKE, predict_prepared
from fashioncnn.evaluation.as_photographed import as_photographed
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.sureness import fit_sureness, joint
from fashioncnn.opening.models import own_bundle
from fashioncnn.photos.convert import CUT_OFF, NOTHING_FOUND
from fashioncnn.photos.pictures import Prepared

pytestmark = pytest.mark.fast


def predictions(logits: NDArray[np.float64]) -> Predictions:
    rows = np.zeros(len(logits), np.int64)
    names = tuple("abcdefghij"[: logits.shape[1]])
    return Predictions(logits.astype(np.float32), rows, rows, names)


def test_pictures_of_one_thing_speak_together() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (7, 4))
    together = joint(predictions(logits), np.array([1, 4, 2]))
    shares = np.exp(together.at_temperature(0.5).log_probabilities)
    for row, part in enumerate((logits[:1], logits[1:5], logits[5:])):
        softmax = np.exp(2 * part) / np.exp(2 * part).sum(1, keepdims=True)
        product = softmax.prod(0) ** (1 / len(part))
        np.testing.assert_allclose(shares[row], product / product.sum(), rtol=1e-5)
        np.testing.assert_allclose(together.logits[row], part.mean(0), rtol=1e-5, atol=1e-6)


def test_all_but_two_percent_reach_the_limits() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (1000, 10)).repeat(2, axis=0)
    found = fit_sureness(predictions(logits), temperature=1.0)
    shares = np.exp(logits[::2]) / np.exp(logits[::2]).sum(1, keepdims=True)
    energies = np.log(np.exp(logits[::2]).sum(1))
    assert (shares.max(1) < found.probability).sum() == 20
    assert (energies < found.energy).sum() == 20


def test_as_photographed_is_always_the_same_and_mirrored(pictures: LabelledImages) -> None:
    one, other = as_photographed(pictures, 50), as_photographed(pictures, 50)
    np.testing.assert_array_equal(one.images_NHWC, other.images_NHWC)
    np.testing.assert_array_equal(one.images_NHWC[1::2], one.images_NHWC[::2, :, ::-1])
    np.testing.assert_array_equal(one.labels[::2], pictures.labels[:50])
    assert (one.images_NHWC[::2] != pictures.images_NHWC[:50]).any((1, 2, 3)).all()


@pytest.mark.parametrize(
    ("not_sure_below", "not_sure_energy", "warnings", "answered", "said"),
    [
        (0.0, None, (), True, ()),
        (0.0, None, (CUT_OFF,), True, (CUT_OFF,)),
        (1.0, None, (), False, (UNLIKE,)),
        (0.0, 1e6, (), False, (UNLIKE,)),
        (0.0, 1e6, (CUT_OFF,), False, (CUT_OFF,)),
        (0.0, None, (NOTHING_FOUND,), False, (NOTHING_FOUND,)),
    ],
)
def test_why_there_is_no_answer_is_said(
    not_sure_below: float,
    not_sure_energy: float | None,
    warnings: tuple[str, ...],
    answered: bool,
    said: tuple[str, ...],
) -> None:
    own = own_bundle()
    limits = {"not_sure_below": not_sure_below, "not_sure_energy": not_sure_energy}
    model = replace(own, facts=own.facts.model_copy(update=limits))
    image = np.full((1, 28, 28, 1), 200, np.uint8)
    thing = Prepared(image, warnings, doubtful=NOTHING_FOUND in warnings)
    (found,) = predict_prepared(model, {"a": thing}).values()
    assert (found.answer is not None) == answered
    assert found.warnings == said
    # A probability that is asked for takes the place of both limits.
    (found,) = predict_prepared(model, {"a": Prepared(image)}, not_sure_below=0).values()
    assert found.answer is not None


def test_a_drawing_of_nothing_gets_no_answer(tmp_path: Path) -> None:
    """By the network that comes along: noise in the shape of a star."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:300j, -1:1:300j]
    star = np.hypot(x, y) < 0.5 + 0.25 * np.cos(7 * np.arctan2(y, x))
    noise = random.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(np.where(star[..., None], noise, 240).astype(np.uint8)).save(tmp_path / "s.png")
    (found,) = fc.predict([tmp_path / "s.png"])
    assert found.answer is None
    assert found.warnings
