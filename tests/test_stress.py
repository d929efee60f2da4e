"""Worse pictures and unknown ones: against hand-made pictures and scikit-learn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.preparation import Preparation
from fashioncnn.evaluation.corruptions import CORRUPTIONS, Images
from fashioncnn.evaluation.out_of_distribution import UNKNOWN, detection, signs
from fashioncnn.evaluation.predict import predict, predicted_classes
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.opening.trained import open_trained
from fashioncnn.runs import artifacts
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.runs.readings import read
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.stress import Answered, one_ahead, stress


def corrupted(name: str, strength: float, images: Images) -> Images:
    return CORRUPTIONS[name][0](images, strength, np.random.default_rng(3))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_severity_is_worse_than_the_one_before(name: str) -> None:
    images = make_pictures(200).images_NHWC
    _, unit, strengths = CORRUPTIONS[name]
    assert unit
    assert list(strengths) == sorted(set(strengths))
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


def test_what_is_brighter_than_white_is_white() -> None:
    white = np.full((10, 28, 28, 1), 255, np.uint8)
    assert 255 - 6 * 0.04 * 255 < corrupted("noise", 0.04, white).min() < 255


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


class Near(nn.Module):
    """Two of three classes nearly tie for most pictures; counts what it is asked, by type."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.output = nn.Linear(784, 3)
        with torch.no_grad():
            self.output.weight.normal_(generator=random)
            self.output.weight[1] = self.output.weight[0]
            self.output.weight[1] += 0.02 * torch.randn(784, generator=random)
            self.output.weight[2, :] = self.output.weight[0].flip(0)
        self.asked: Counter[torch.dtype] = Counter()

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.output(images_NCHW.flatten(1))
        self.asked[logits.dtype] += len(logits)
        return logits


def test_close_classes_are_told_apart_in_fp32() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    pictures = LabelledImages(images, np.zeros(1000, np.int64), ("a", "b", "c"))
    given = (pictures, Preparation(pixel_mean=(0.5,)), torch.device("cpu"))
    network = Near()
    wanted = predict(network, *given).predicted
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = predict(network, *given).predicted
    assert 5 < (rough != wanted).sum() < 500
    network.asked.clear()
    np.testing.assert_array_equal(predicted_classes(network, *given, bf16=True), wanted)
    assert network.asked[torch.bfloat16] == 1000
    assert 0 < network.asked[torch.float32] < 900
    network.asked.clear()
    np.testing.assert_array_equal(predicted_classes(network, *given, bf16=False), wanted)
    assert network.asked == {torch.float32: 1000}


def test_steps_are_made_one_ahead_and_come_in_order() -> None:
    begun: list[int] = []

    def make(step: int) -> int:
        begun.append(step)
        return step * step

    for at, square in enumerate(one_ahead(make, range(5))):
        assert square == at * at
        assert len(begun) <= at + 3
    assert begun == [0, 1, 2, 3, 4]

    def fail(step: int) -> int:
        raise ValueError(step)

    with pytest.raises(ValueError, match="0"):
        list(one_ahead(fail, range(3)))


def test_equal_pictures_are_asked_once(run: fc.Run, tiny_data: None) -> None:
    trained = open_evaluated(run, device="cpu")
    pictures = trained.pictures("test", "pictures")
    never = np.full(len(pictures), 9)
    answered = Answered(trained, pictures, never)
    mirrored = replace(pictures, images_NHWC=pictures.images_NHWC[:, ::-1].copy())
    np.testing.assert_array_equal(answered(pictures), never)
    wanted = trained.predictions(mirrored).predicted
    np.testing.assert_array_equal(answered(mirrored), wanted)
    half = len(pictures) // 2
    mixed = np.concatenate([pictures.images_NHWC[:half], mirrored.images_NHWC[half:]])
    np.testing.assert_array_equal(
        answered(replace(pictures, images_NHWC=mixed)), [*never[:half], *wanted[half:]]
    )


@pytest.mark.parametrize("content", ["{}", "[]", '{"checkpoint_sha256": "of other weights"}'])
def test_stress_of_something_else_is_not_shown(reported: fc.Run, content: str) -> None:
    run = reported
    (run.evaluation / "stress.json").write_text(content)
    assert open_trained(run, "best").kept.get(artifacts.STRESS) is None
