"""Worse pictures and unknown ones: against hand-made pictures and scikit-learn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.evaluation.corruptions import CORRUPTIONS, Images
from fashioncnn.evaluation.out_of_distribution import UNKNOWN, detection, signs
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.runs.readings import read
from fashioncnn.workflows.stress import stress


def corrupted(name: str, strength: float, images: Images) -> Images:
    return CORRUPTIONS[name][0](images, strength, np.random.default_rng(3))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_severity_is_worse_than_the_one_before(name: str) -> None:
    images = make_pictures(200).images_NHWC
    _, unit, strengths = CORRUPTIONS[name]
    assert unit
    before = images.copy()
    changes = []
    for strength in strengths:
        worse = corrupted(name, strength, images)
        assert worse.dtype == np.uint8
        assert worse.shape == images.shape
        np.testing.assert_array_equal(worse, corrupted(name, strength, images))
        changes.append(np.abs(worse.astype(float) - images).mean())
    np.testing.assert_array_equal(images, before)
    assert changes[0] > 0
    # Shifting a bar further than it is thick changes it no more: the last may be equal.
    assert all(later > 0.98 * earlier for earlier, later in pairwise(changes))


def test_single_pictures_by_hand() -> None:
    point = np.zeros((300, 28, 28, 1), np.uint8)
    point[:, 10, 12] = 200
    moved = corrupted("shift", 3, point)
    places = {tuple(place) for place in np.argwhere(moved)[:, 1:3]}
    assert places == {(y, x) for y in (7, 10, 13) for x in (9, 12, 15)} - {(10, 12)}
    assert (moved.sum((1, 2)) == 200).all()

    half = corrupted("contrast", 0.5, point)[0, :, :, 0]
    mean = 200 / 784
    assert half[10, 12] == round(mean + (200 - mean) / 2)

    white = np.full((50, 28, 28, 1), 255, np.uint8)
    assert (corrupted("occlusion", 6, white) == 0).sum((1, 2, 3)).tolist() == [36] * 50
    grey = np.full((50, 28, 28, 1), 128, np.uint8)
    noisy = corrupted("noise", 0.1, grey).astype(float) - 128
    assert noisy.std() == pytest.approx(25.5, rel=0.02)

    turned = corrupted("flip", 1.0, point)
    assert (np.argwhere(turned)[:, 1:3] == (17, 12)).all()
    line = np.zeros((2, 28, 28, 1), np.uint8)
    line[:, 13:15, 4:24] = 255
    upright = CORRUPTIONS["rotation"][0](line, 90, np.random.default_rng(0))
    np.testing.assert_allclose(upright[0, :, :, 0], line[0, :, :, 0].T, atol=1)
    smooth = corrupted("blur", 1.0, point)[0, :, :, 0].astype(float)
    # A point becomes a Gaussian: its height is 1 / (2 π σ²) of what it was.
    assert smooth[10, 12] == pytest.approx(200 / (2 * np.pi), abs=1)


def test_unknown_pictures_are_what_they_say() -> None:
    images, random = make_pictures(50).images_NHWC, np.random.default_rng(1)
    np.testing.assert_array_equal(UNKNOWN["inverted"](images, random), 255 - images)
    mixed = UNKNOWN["scrambled"](images, random)
    np.testing.assert_array_equal(np.sort(mixed.reshape(50, -1)), np.sort(images.reshape(50, -1)))
    assert (mixed != images).mean() > 0.3
    assert UNKNOWN["noise"](images, random).std() == pytest.approx(73.9, rel=0.02)


def test_detection_as_in_scikit_learn() -> None:
    random = np.random.default_rng(2)
    known, unknown = random.normal(1, 1, 400).round(1), random.normal(0, 1, 300).round(1)
    found = detection(known, unknown)
    truth = np.repeat([1, 0], [400, 300])
    scores = np.concatenate([known, unknown])
    assert found.auroc == pytest.approx(metrics.roc_auc_score(truth, scores))
    false, true, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert found.false_positive_rate == pytest.approx(false[np.argmax(true >= 0.95)])


@pytest.mark.parametrize(("n", "kept"), [(100, 95), (20, 19), (10, 10), (7, 7)])
def test_a_threshold_keeps_95_per_cent_of_the_known(n: int, kept: int) -> None:
    known = np.arange(n, dtype=np.float64)
    # An unknown picture a little below each known one: those that pass tell the threshold.
    found = detection(known, known - 0.5)
    assert round(found.false_positive_rate * n) == kept - 1


def test_signs_by_hand() -> None:
    logits = np.array([[0.0, np.log(3)]], np.float32)
    found = signs(Predictions(logits, np.array([0]), np.array([0]), ("a", "b")))
    assert found["probability"] == pytest.approx([0.75])
    assert found["energy"] == pytest.approx([np.log(4)])


@pytest.mark.usefixtures("tiny_data")
def test_stress_of_a_run_and_its_section(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, device="cpu")
    page = fc.report(run).read_text()
    assert "Worse pictures" not in page
    page = fc.report(run, full=True).read_text()
    found = stress(run, device="cpu")
    assert found.accuracy == fc.evaluate(run).accuracy
    assert found.corruptions.keys() == CORRUPTIONS.keys()
    noise = found.corruptions["noise"].accuracies
    assert len(noise) == 5
    assert noise[4] < found.accuracy
    assert 0 <= found.unknown["noise"]["energy"].auroc <= 1
    assert "Worse pictures" in page
    assert f"{found.unknown['inverted']['energy'].auroc:.3f}" in page
    assert [line["purpose"] for line in read(run)].count("stress") == 1

    # What was found about other weights is not shown beside the scores of these.
    kept = read_json(run.evaluation / "stress.json")
    write_text(run.evaluation / "stress.json", to_json(kept | {"checkpoint_sha256": "0"}))
    assert "Worse pictures" not in fc.report(run).read_text()
