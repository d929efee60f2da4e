"""The data audit: planted copies and planted label flips are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.duplicates import Pair, near_duplicates
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.places import ENVIRONMENT_VARIABLE
from fashioncnn.data.sources.fashion_mnist import CLASSES
from fashioncnn.errors import RecipeError
from fashioncnn.explanation.alike import most_alike


def found_pairs(images: np.ndarray, rms: float) -> list[Pair]:
    return list(near_duplicates(images, rms))


@pytest.mark.parametrize("rms", [0.0, 5.0, 60.0])
def test_pairs_are_those_of_every_with_every(rms: float) -> None:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (2, 28, 28), dtype=np.uint8).repeat(40, axis=0)
    images[::4, :5] += random.integers(0, 60, (20, 5, 28), dtype=np.uint8)
    flat = images.reshape(80, -1).astype(float)
    all_rms = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(-1))
    expected = {(i, j) for i in range(80) for j in range(i + 1, 80) if all_rms[i, j] <= rms}
    pairs = found_pairs(images, rms)
    assert {(pair.first, pair.second) for pair in pairs} == expected
    assert len(pairs) == len(expected)
    for pair in pairs:
        assert pair.rms == pytest.approx(all_rms[pair.first, pair.second])


def test_planted_copies_are_all_found_across_blocks() -> None:
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (5000, 28, 28), dtype=np.uint8)
    first, second = np.split(random.permutation(5000)[:200], 2)
    images[second] = images[first]
    images[second[50:], 3, 3] ^= 7
    planted = {(min(pair), max(pair)) for pair in zip(first, second, strict=True)}
    pairs = found_pairs(images, 10.0)
    assert {(pair.first, pair.second) for pair in pairs} == planted
    assert sum(pair.rms == 0 for pair in pairs) == 50


def test_pairs_alike_are_those_of_every_with_every() -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(3000, 5)).astype(np.float32)
    kinds = random.integers(0, 3, 3000)
    found = most_alike(features, kinds, 50)
    exact = features.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = np.where(kinds[:, None] == kinds, -2, exact @ exact.T)
    nearest = np.unique(np.sort(np.column_stack([np.arange(3000), cosines.argmax(1)])), axis=0)
    order = np.argsort(-cosines[nearest[:, 0], nearest[:, 1]])[:50]
    assert {(pair.first, pair.second) for pair in found} == {tuple(nearest[at]) for at in order}
    for pair in found:
        assert pair.cosine == pytest.approx(cosines[pair.first, pair.second], abs=1e-5)
    assert most_alike(features, np.zeros(3000, np.int64), 50) == []


@pytest.mark.usefixtures("tiny_data")
def test_an_audit_of_planted_faults(tiny_recipe: Path, tmp_path: Path) -> None:
    train, test = make_pictures(2000, seed=3), make_pictures(500, seed=4)
    flipped = np.random.default_rng(5).permutation(2000)[:40]
    train.labels[flipped] = (train.labels[flipped] + 3) % 10
    test.images_NHWC[7:12] = train.images_NHWC[100:105]
    data = DataSet.of(train, test)
    run = fc.train(tiny_recipe, data=data, out=tmp_path / "runs", device="cpu")
    scored = fc.evaluate(run, data=data, device="cpu")
    out = tmp_path / "audit"
    found = fc.audit([run], recipe=str(tiny_recipe), data=data, out=out, device="cpu")

    assert [(pair.first, pair.second) for pair in found.pairs] == [
        (100 + i, 2007 + i) for i in range(5)
    ]
    assert found.across == list(found.pairs)
    assert all(pair.first < 2000 <= pair.second for pair in found.alike_across)
    labels = np.concatenate([train.labels, test.labels])
    for pair in found.alike_labelled_differently:
        assert labels[pair.first] != labels[pair.second]
    candidates = {one.index for one in found.train_candidates}
    assert len(candidates & set(flipped)) / len(flipped) >= 0.75  # recall
    assert len(candidates & set(flipped)) / len(candidates) >= 0.9  # precision
    by_index = {one.index: one for one in found.train_candidates}
    for index in candidates & set(flipped):
        assert by_index[index].label == train.labels[index]
        assert by_index[index].suggested == (train.labels[index] - 3) % 10
    (scores,) = found.scores
    assert scores["accuracy"] == scored.accuracy
    clean = np.setdiff1d(np.arange(500), [one.index for one in found.test_candidates])
    assert scores["candidates"] == 500 - len(clean)

    assert json.loads((out / "audit.json").read_text())["train_images"] == 2000
    page = (out / "report.html").read_text()
    assert "Candidates, not errors" in page
    assert "Near copies across the splits" in page
    assert "http" not in page
    again = fc.audit(recipe=str(tiny_recipe), data=data, out=out, device="cpu")
    assert again.train_candidates == found.train_candidates


def test_a_run_brings_its_own_data(
    tiny_recipe: Path, tiny_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = ["training.epochs=1"]
    run = fc.train(tiny_recipe, changes=changes, data=tiny_npz, out=tmp_path / "runs", device="cpu")
    # Nothing else is found on this machine.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "nothing"))
    found = fc.audit([run], recipe=str(tiny_recipe), out=tmp_path / "audit", device="cpu")
    assert (found.train_images, found.test_images) == (600, 200)


def test_an_unknown_recipe_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no-such-recipe"):
        fc.audit(recipe="no-such-recipe", out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_too_few_pictures_for_folds_is_said(tiny_recipe: Path) -> None:
    from fashioncnn.errors import DataError
    from fashioncnn.recipes.load import load
    from fashioncnn.workflows.audit import out_of_fold

    few = LabelledImages(np.zeros((3, 28, 28, 1), np.uint8), np.zeros(3, np.int64), CLASSES)
    with pytest.raises(DataError, match="3 training pictures cannot be cut into 5 folds"):
        out_of_fold(load(tiny_recipe), few, few, 0, "cpu")
