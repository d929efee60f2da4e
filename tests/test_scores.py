from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as oracle

from fashioncnn.cli.score_tables import confusion
from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.pictures import TELLING_PICTURES, confused_pictures, telling_pictures
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.evaluation.scores import Scores, score

pytestmark = pytest.mark.fast

NAMES = tuple("abcde")


def make(n: int = 500, seed: int = 0, classes: int = 5) -> Predictions:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    logits = random.normal(size=(n, len(NAMES))).astype(np.float32)
    logits[np.arange(n), labels] += 1.0
    return Predictions(logits, labels, np.arange(n), NAMES)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [5, 3])
def test_every_figure_against_scikit_learn(seed: int, classes: int) -> None:
    predictions = make(seed=seed, classes=classes)
    ours = score(predictions)
    labels, predicted = predictions.labels, predictions.predicted
    every = list(range(len(NAMES)))
    assert ours.accuracy == pytest.approx(oracle.accuracy_score(labels, predicted))
    probabilities = np.exp(predictions.log_probabilities)
    loss = oracle.log_loss(labels, probabilities, labels=every)
    assert ours.loss == pytest.approx(loss, rel=1e-9)
    np.testing.assert_array_equal(
        ours.confusion, oracle.confusion_matrix(labels, predicted, labels=every)
    )
    table = oracle.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    for index, one in enumerate(ours.classes):
        expected = [column[index] for column in table]
        assert [one.precision, one.recall, one.f1, one.support] == pytest.approx(expected)
    # Of classes without a picture there is nothing to average.
    there = sorted(set(labels.tolist()))
    for average in (ours.macro, ours.weighted):
        expected = oracle.precision_recall_fscore_support(
            labels, predicted, labels=there, average=average.name, zero_division=0
        )[:3]
        assert [average.precision, average.recall, average.f1] == pytest.approx(expected)


def test_a_class_without_pictures_is_left_out_of_means() -> None:
    """In scores, and in intervals over pictures."""
    run = make(n=30, classes=3)
    there = [one for one in score(run).classes if one.support]
    assert len(there) == 3
    mean = sum(one.f1 for one in there) / 3
    assert score(run).macro.f1 == pytest.approx(mean)
    assert intervals([run])["test/f1_macro"].value == pytest.approx(mean)


def test_top_confusions_are_the_largest_off_the_diagonal() -> None:
    ours = score(make())
    wrong = np.array(ours.confusion)
    np.fill_diagonal(wrong, 0)
    counts = [pair.count for pair in ours.top_confusions]
    assert counts == sorted(wrong.flatten().tolist(), reverse=True)[:10]
    for pair in ours.top_confusions:
        row, column = NAMES.index(pair.true), NAMES.index(pair.predicted)
        assert pair.count == wrong[row, column]
        assert pair.share == pytest.approx(pair.count / sum(ours.confusion[row]))


def test_a_perfect_network_confuses_nothing() -> None:
    labels = np.arange(20) % 5
    ours = score(Predictions(np.eye(5, dtype=np.float32)[labels], labels, labels, NAMES))
    assert ours.accuracy == ours.macro.f1 == 1.0
    assert ours.top_confusions == ()


def test_json_and_back() -> None:
    ours = score(make())
    assert Scores.from_json(json.loads(json.dumps(ours.to_json()))) == ours


def test_names_of_metrics() -> None:
    named = score(make()).metrics()
    assert {"test/accuracy", "test/loss", "test/f1_macro", "test/f1_weighted", "test/f1/a"} <= set(
        named
    )


def answered_pictures() -> tuple[LabelledImages, Predictions]:
    """Pictures of four classes, and answers that are right more often than not."""
    random = np.random.default_rng(3)
    n, names = 300, tuple("abcd")
    labels = random.integers(0, 4, n)
    logits = random.normal(0, 1, (n, 4)).astype(np.float32)
    logits[np.arange(n), labels] += 0.5
    images = random.integers(0, 256, (n, 8, 8, 1), np.uint8)
    return LabelledImages(images, labels, names), Predictions(logits, labels, np.arange(n), names)


def test_confused_pictures_are_the_surest_of_the_top_confusions() -> None:
    pictures, predictions = answered_pictures()
    images, labels, names = pictures.images_NHWC, pictures.labels, pictures.class_names
    logits, n = predictions.logits, len(labels)
    found = confused_pictures(pictures, predictions)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wanted: list[int] = []
    for pair in score(predictions).top_confusions:
        true, answer = names.index(pair.true), names.index(pair.predicted)
        mine = [at for at in range(n) if labels[at] == true and logits[at].argmax() == answer]
        assert len(mine) == pair.count
        wanted += sorted(mine, key=lambda at: -shares[at, answer])[:8]
    assert found["indices"].tolist() == wanted
    np.testing.assert_array_equal(found["images"], images[wanted])
    np.testing.assert_array_equal(found["labels"], labels[wanted])
    np.testing.assert_array_equal(found["predicted"], logits[wanted].argmax(1))
    np.testing.assert_allclose(found["probabilities"], shares[wanted].max(1), rtol=1e-5)


def test_telling_pictures_are_the_worst_mistakes_and_the_narrowest_answers() -> None:
    pictures, predictions = answered_pictures()
    images, labels = pictures.images_NHWC, pictures.labels
    logits, n = predictions.logits, len(labels)
    found = telling_pictures(pictures, predictions)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    ranked = np.argsort(-logits, axis=1)
    wrong = [at for at in range(n) if ranked[at, 0] != labels[at]]
    wrong = sorted(wrong, key=lambda at: shares[at, labels[at]])[:TELLING_PICTURES]
    right = [at for at in range(n) if ranked[at, 0] == labels[at]]
    right = sorted(right, key=lambda at: shares[at, ranked[at, 0]] - shares[at, ranked[at, 1]])
    wanted = [*wrong, *right[:TELLING_PICTURES]]
    others = [*labels[wrong], *ranked[right[:TELLING_PICTURES], 1]]
    assert found["indices"].tolist() == wanted
    assert found["kind"].tolist() == [0] * len(wrong) + [1] * TELLING_PICTURES
    np.testing.assert_array_equal(found["images"], images[wanted])
    np.testing.assert_array_equal(found["answers"], ranked[wanted, 0])
    np.testing.assert_array_equal(found["others"], others)
    np.testing.assert_allclose(found["answer_probabilities"], shares[wanted].max(1), rtol=1e-5)
    np.testing.assert_allclose(found["other_probabilities"], shares[wanted, others], rtol=1e-5)


@pytest.mark.parametrize(("classes", "lines"), [(20, 22), (21, 1)])
def test_a_matrix_that_fits_on_no_terminal_is_elsewhere(classes: int, lines: int) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(classes)
    names = tuple(f"class {number}" for number in range(classes))
    logits = random.normal(size=(classes, classes)).astype(np.float32)
    found = score(Predictions(logits, labels, labels, names))
    assert len(confusion(found).strip().splitlines()) == lines
