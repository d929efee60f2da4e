"""What is wrong with an argument in Python is said in one line, before any work is done."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fashioncnn as fc
from fashioncnn.errors import FashionCNNError

IMAGES = np.zeros((4, 28, 28, 1), np.uint8)
LABELS = np.arange(4) % 2
NAMES = ("a", "b")


def one_class() -> fc.DataSet:
    return fc.DataSet.of(fc.LabelledImages(IMAGES, 0 * LABELS, ("a",)))


WRONG: list[tuple[Callable[[Path], object], str]] = [
    (lambda _: fc.LabelledImages(IMAGES, LABELS / 2, NAMES), "integers, got float"),  # type: ignore[arg-type]
    (lambda _: fc.LabelledImages(IMAGES, [0, 1, 0, 1], NAMES), "integers, got list"),  # type: ignore[arg-type]
    (lambda _: fc.LabelledImages([[0]], LABELS, NAMES), "must be a NumPy array, got list"),  # type: ignore[arg-type]
    (lambda _: fc.LabelledImages(IMAGES, LABELS, ("a", "a")), "has a name twice: a, a"),
    (lambda _: fc.LabelledImages(IMAGES, LABELS, "ab"), "a tuple of names, got 'ab'"),  # type: ignore[arg-type]
    (lambda _: one_class(), "1 classes; 2 to 1,000 are needed"),
    (lambda _: fc.DataSet.of((IMAGES, LABELS)), "train is tuple; it must be fc.LabelledImages"),  # type: ignore[arg-type]
    (lambda run: fc.evaluate(run, data=IMAGES), r"data is ndarray; it must be a path, or fc\.Da"),  # type: ignore[arg-type]
    (lambda run: fc.evaluate([run]), "is no run: give one"),  # type: ignore[arg-type]
    (lambda _: fc.load(5), "5 is no run: give one"),  # type: ignore[arg-type]
    (lambda _: fc.report(None), "None is no run: give one"),  # type: ignore[arg-type]
    (lambda _: fc.compare(5), "5 is no run: give one"),  # type: ignore[arg-type]
    (lambda _: fc.predict(None), "NoneType is no file's name; pictures in memory"),  # type: ignore[arg-type]
    (lambda _: fc.LabelledImages(IMAGES, LABELS, (1, 1)), "a tuple of names, got"),  # type: ignore[arg-type]
    (lambda run: fc.report([run, 5]), "5 is no run: give one"),  # type: ignore[list-item]
    (lambda _: fc.predict(IMAGES), r"in memory go to fc\.load\(run\)\.predict"),  # type: ignore[arg-type]
    (lambda _: fc.train_seeds("two-conv", seeds=3), "seeds is 3; it must be a list"),  # type: ignore[arg-type]
    (lambda _: fc.train_seeds("two-conv", seeds=[]), "seeds is empty"),
    (lambda run: fc.bench_predict(run, batch_sizes=[0]), r"batch_sizes is \[0\]; they must be 1"),
    (lambda run: fc.bench_speed(["two-conv"], seeds=0, out=run), "seeds is 0; it must be 1 or mor"),
    (lambda _: fc.Processes(0), r"Processes\(0\): it must be 1 or more"),
]


@pytest.mark.fast
@pytest.mark.parametrize(("call", "said"), WRONG)
def test_is_said_in_one_line(call: Callable[[Path], object], said: str, trained_once: Path) -> None:
    with pytest.raises(FashionCNNError, match=said) as caught:
        call(trained_once)
    assert "\n" not in str(caught.value)


def test_an_endless_budget_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FashionCNNError, match="budget_minutes is nan; it must be more than 0"):
        fc.tune("two-conv-grid", budget_minutes=math.nan, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_pictures_in_memory_are_asked_for_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that they are tested on what they were trained on is said."""
    images = np.random.default_rng(0).integers(0, 255, (40, 28, 28, 1), dtype=np.uint8)
    pictures = fc.LabelledImages(images, np.arange(40) % 2, NAMES)
    changes = {"training.epochs": 1, "data.validation_images": 0, "training.batch_size": 8}
    data = fc.DataSet.of(pictures, pictures)
    run = fc.train("two-conv", changes=changes, data=data, out=tmp_path, device="cpu")
    with pytest.raises(FashionCNNError, match=r"were in memory: hand them in as data=fc\.DataSet"):
        fc.evaluate(run, device="cpu")
    assert fc.evaluate(run, data=data, device="cpu").n == 40
    assert "40 of 40 test pictures are training pictures, too" in capsys.readouterr().err


@pytest.mark.fast
def test_a_part_needs_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    with pytest.raises(FashionCNNError, match=r"mine\.py is looked at as a loss: say which"):
        fc.check(tmp_path / "mine.py", what="loss")


@pytest.mark.fast
def test_a_network_that_comes_along_is_no_run() -> None:
    with pytest.raises(FashionCNNError, match="tiny comes along as a bundle; here a run is needed"):
        fc.report("tiny")
