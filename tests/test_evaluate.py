"""Evaluation and explanations, on tiny synthetic pictures."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score

import fashioncnn as fc
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.npz_file import NpzFile, write_npz
from fashioncnn.errors import CodeError, DataError, RunError, TrackingError
from fashioncnn.opening.trained import open_trained
from fashioncnn.runs import checkpoints, readings
from fashioncnn.runs.arrays import read as read_arrays
from fashioncnn.workflows import evaluate as evaluating

pytestmark = pytest.mark.usefixtures("tiny_data")


def is_evaluated(run: fc.Run) -> bool:
    return evaluating.is_evaluated(open_trained(run, "best").kept)


def test_scores_and_predictions_agree(run: fc.Run) -> None:
    scores = fc.evaluate(run, device="cpu")
    kept = json.loads((run.evaluation / "scores.json").read_text())
    arrays = read_arrays(run.evaluation / "predictions.npz")
    assert scores.n == kept["n"] == len(arrays["labels"]) == 200
    expected = accuracy_score(arrays["labels"], arrays["logits"].argmax(1))
    assert scores.accuracy == kept["accuracy"] == pytest.approx(expected)
    assert scores.accuracy > 0.8
    assert kept["checkpoint"]["name"] == "best"


def test_what_the_network_costs_and_how_far_it_can_be_trusted(run: fc.Run) -> None:
    fc.evaluate(run, device="cpu")
    cost = json.loads((run.evaluation / "cost.json").read_text())
    # Two 3x3 convolutions, on 28x28 and 14x14 pixels, and two dense layers.
    macs = 28 * 28 * 9 * 4 + 14 * 14 * 9 * 4 * 8 + 7 * 7 * 8 * 16 + 16 * 10
    assert cost["macs"] == macs
    assert cost["parameters"] == (9 + 1) * 4 + (9 * 4 + 1) * 8 + (7 * 7 * 8 + 1) * 16 + 17 * 10
    assert cost["weight_bytes"] == 4 * cost["parameters"]
    assert 0 < cost["p50_milliseconds"] <= cost["p99_milliseconds"]
    confidence = json.loads((run.evaluation / "confidence.json").read_text())
    before, after = confidence["as_trained"], confidence["with_temperature"]
    assert before["nll"] == pytest.approx(fc.evaluate(run).loss)
    assert before["temperature"] == 1
    assert after["brier"] > 0
    tolerated = [one["tolerated_error"] for one in confidence["thresholds"]]
    assert set(tolerated) <= {0.01, 0.02, 0.05}
    assert tolerated == sorted(tolerated)
    everything = fc.train(
        run.recipe_file, changes=["data.validation_images=0"], out=run.path / "all", device="cpu"
    )
    fc.evaluate(everything, device="cpu")
    confidence = json.loads((everything.evaluation / "confidence.json").read_text())
    assert confidence["with_temperature"] is confidence["thresholds"] is None


@pytest.mark.parametrize("name", ["confidence.json", "cost.json", "scores.json"])
@pytest.mark.parametrize("content", ["{}", "[]", "half a fi"])
def test_a_damaged_file_of_an_evaluation_is_made_anew(
    reported: fc.Run, name: str, content: str
) -> None:
    run = reported
    assert is_evaluated(run)
    readings_before = len(readings.read(run))
    (run.evaluation / name).write_text(content)
    assert not is_evaluated(run)
    fc.evaluate(run, device="cpu")
    assert is_evaluated(run)
    assert len(readings.read(run)) == readings_before


def other_pictures(tmp_path: Path) -> Path:
    """The same pictures as the run's, labelled otherwise."""
    known = DataSet()
    turned = {
        part: replace(one, labels=(one.labels + 1) % one.classes)
        for part, one in known.brought().items()
    }
    write_npz(tmp_path / "other.npz", turned)
    return tmp_path / "other.npz"


def test_other_pictures_are_refused_and_leave_nothing(run: fc.Run, tmp_path: Path) -> None:
    """What a run keeps as its scores is of its own test pictures."""
    other = other_pictures(tmp_path)
    for times_read in (0, 1):
        with pytest.raises(RunError, match="was trained on other pictures than those of"):
            fc.evaluate(run, data=other, device="cpu")
        assert len(readings.read(run)) == times_read
        fc.evaluate(run, device="cpu")
    everything = fc.train(
        run.recipe_file, changes=["data.validation_images=0"], out=tmp_path / "all", device="cpu"
    )
    with pytest.raises(RunError, match="was trained on other pictures than those of"):
        fc.evaluate(everything, data=other, device="cpu")
    assert not everything.evaluation.exists()


@pytest.mark.parametrize("split", ["val", "train"])
def test_splits_and_views_that_are_none_are_named(run: fc.Run, split: Any) -> None:
    with pytest.raises(RunError, match=f"split is '{split}'; it must be test or validation"):
        fc.evaluate(run, split=split, device="cpu")
    with pytest.raises(RunError, match="views is 'x'; it must be plain or flip or flip-shift"):
        fc.evaluate(run, views="x", device="cpu")  # type: ignore[arg-type]
    assert not run.evaluation.exists()


def test_wishes_that_are_none_are_named(run: fc.Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="checkpoint is 'first'; it must be best or last"):
        fc.explain(run, checkpoint="first")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"picture 1\.5: test pictures are numbered 0 to 199"):
        fc.explain(run, pictures=[1.5])  # type: ignore[list-item]
    with pytest.raises(TrackingError, match=r"it must be a list, as \['mlflow'\]"):
        fc.report(run, track="mlflow")  # type: ignore[arg-type]
    with pytest.raises(TrackingError, match="--track wandb: it must be tensorboard or mlflow"):
        fc.report(run, track=["wandb"])  # type: ignore[list-item]
    with pytest.raises(RunError, match="compare needs two runs or more; 1 given"):
        fc.compare(str(run.path))
    with pytest.raises(CodeError, match="a net cannot be written; it must be network"):
        fc.new(tmp_path / "mine.py", what="net")  # type: ignore[arg-type]


@pytest.fixture
def rough(tiny_recipe: Path, tmp_path: Path) -> fc.Run:
    """A run that has not learned everything: its validation has a temperature to tell."""
    changes = ["training.epochs=1", "optimizer.learning_rate=0.0005"]
    run = fc.train(tiny_recipe, changes=changes, out=tmp_path / "rough", device="cpu")
    fc.evaluate(run, device="cpu")
    return run


def test_the_temperature_of_earlier_versions_is_used(rough: fc.Run) -> None:
    """A run that was evaluated by one answers as it did."""
    run = rough
    file = run.evaluation / "confidence.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"form": 1}))
    earlier = open_trained(run, "best", device="cpu")
    assert earlier.temperature == kept["with_temperature"]["temperature"] != 1
    assert not evaluating.is_evaluated(earlier.kept)


def test_pages_of_finished_runs_need_no_data(
    reported: fc.Run, tiny_npz: Path, tmp_path: Path
) -> None:
    """Nor are several of one data set: the other one's pictures are gone by now."""
    other = Path(shutil.copytree(reported.path, reported.path.with_name("other")))
    told = json.loads((other / "provenance.json").read_text())
    told["data_set"] |= {"train_sha256": "a" * 64, "place": str(tmp_path / "gone.npz")}
    (other / "provenance.json").write_text(json.dumps(told))
    assert fc.report(other).exists()
    assert fc.report([reported, other], out=tmp_path / "page.html").exists()
    with pytest.raises(RunError, match="was trained on other pictures than those of"):
        fc.report([reported, other], data=tiny_npz, out=tmp_path / "page.html")


def test_thresholds_hold_for_what_is_predicted(rough: fc.Run) -> None:
    """They are of the probabilities that people see."""
    run = rough
    trained = open_trained(run, "best", device="cpu")
    kept = json.loads((run.evaluation / "confidence.json").read_text())
    assert trained.temperature != 1
    test = trained.data.test
    told = trained.predict(test.images_NHWC)
    surest, right = told.probabilities.max(1), told.probabilities.argmax(1) == test.labels
    assert kept["thresholds"]
    for one in kept["thresholds"]:
        sure = surest >= one["confidence"]
        assert one["coverage"] == pytest.approx(sure.mean(), abs=0.01)
        assert one["risk"] == pytest.approx(1 - right[sure].mean(), abs=0.01)


def test_the_best_weights_score_on_validation_as_the_log_says(run: fc.Run) -> None:
    scores = fc.evaluate(run, split="validation", device="cpu")
    best = max(run.metrics, key=lambda r: (r["val/accuracy"], -r["val/loss"]))
    assert scores.accuracy == pytest.approx(best["val/accuracy"])
    assert scores.loss == pytest.approx(best["val/loss"], rel=1e-5)


def test_averaged_weights_are_what_predicts(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, changes=["averaging.ema_decay=0.9"], out=tmp_path, device="cpu")
    scores = fc.evaluate(run, split="validation", checkpoint="last", device="cpu")
    assert scores.loss == pytest.approx(run.metrics[-1]["val/loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("views", "shifts"), [("flip", [(0, 0)]), ("flip-shift", [(0, 0), (1, 1), (-1, -1)])]
)
def test_views_are_the_mean_over_mirrored_and_shifted_pictures(
    run: fc.Run, views: Any, shifts: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = fc.evaluate(run, device="cpu")
    averaged = fc.evaluate(run, views=views, device="cpu")
    kept = read_arrays(run.evaluation / f"{views}-predictions.npz")
    facts = json.loads((run.evaluation / f"{views}-scores.json").read_text())
    assert (facts["views"], facts["passes"]) == (views, 2 * len(shifts))
    assert facts["accuracy"] == averaged.accuracy
    # The plain figures stay as they are, and each way of seeing read test once.
    assert json.loads((run.evaluation / "scores.json").read_text())["accuracy"] == plain.accuracy
    assert len(readings.read(run)) == 2

    original = NpzFile.read
    view: list[Any] = []

    def read(source: NpzFile, part: Any) -> LabelledImages:
        pictures = original(source, part)
        if part != "test":
            return pictures
        step, shift = view[-1]
        images = np.roll(pictures.images_NHWC[:, :, ::step], shift, axis=(1, 2))
        for axis, distance in enumerate(shift, start=1):
            index = [slice(None)] * 4
            if distance:
                index[axis] = slice(0, 1) if distance > 0 else slice(-1, None)
                images[tuple(index)] = 0
        return replace(pictures, images_NHWC=images)

    monkeypatch.setattr(NpzFile, "read", read)
    logits = []
    for one in itertools.product((1, -1), shifts):
        view.append(one)
        (run.evaluation / "predictions.npz").unlink()
        fc.evaluate(run, device="cpu")
        logits.append(read_arrays(run.evaluation / "predictions.npz")["logits"])
    np.testing.assert_allclose(kept["logits"], np.mean(logits, axis=0), atol=1e-5)


def test_views_at_the_command_line_stand_beside_the_plain_figure(
    run: fc.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from fashioncnn.cli.verbs import app

    plain = fc.evaluate(run, device="cpu")
    runner = CliRunner()
    words = ["evaluate", str(run.path), "--views", "flip", "--device", "cpu"]
    text = runner.invoke(app, words).stdout
    assert f"accuracy {plain.accuracy:.2%}" in text
    assert "averaged over views (flip): accuracy" in text
    assert "2 passes in place of 1" in text
    answer = json.loads(runner.invoke(app, [*words, "--json"]).stdout)
    assert answer["accuracy"] == plain.accuracy
    (cost,) = answer["views"]["costs"]
    assert cost["passes"] == 2
    assert cost["seconds"] > 0
    assert "test/accuracy" in answer["views"]["metrics"]


def test_without_validation_pictures(tiny_recipe: Path, tmp_path: Path) -> None:
    changes = ["data.validation_images=0"]
    run = fc.train(tiny_recipe, changes=changes, out=tmp_path / "all", device="cpu")
    assert [record["val/loss"] for record in run.metrics] == [None] * 3
    assert fc.evaluate(run, device="cpu").accuracy > 0.8
    assert checkpoints.load(run.checkpoints, "best").values["epoch"] == 3
    with pytest.raises(RunError, match="has no validation pictures"):
        fc.evaluate(run, split="validation", device="cpu")
    page = fc.report(run, device="cpu").read_text()
    assert "none: trained on all the training pictures" in page
    assert "by validation, after epoch" not in page


def test_each_reading_of_test_is_counted_and_none_is_made_twice(run: fc.Run) -> None:
    def counted() -> int:
        return int(json.loads((run.evaluation / "scores.json").read_text())["test_readings"])

    fc.evaluate(run, split="validation", device="cpu")
    assert readings.read(run) == []
    first = fc.evaluate(run, device="cpu")
    assert counted() == 1
    assert fc.evaluate(run, device="cpu") == first
    assert counted() == 1
    (run.evaluation / "predictions.npz").unlink()
    assert fc.evaluate(run, device="cpu") == first
    assert counted() == 2
    fc.explain(run)
    assert [line["purpose"] for line in readings.read(run)] == ["evaluate"] * 2 + ["pictures"]


def test_explain_keeps_filters_and_maps_of_every_layer(run: fc.Run) -> None:
    drawn = fc.explain(run, per_class=2)
    filters, maps, pictures = (
        # Beside the arrays stand the file's form, and the weights that it is of.
        {key: kept[key] for key in kept if key not in ("form", "checkpoint_sha256")}
        for kept in (
            read_arrays(run.explanations / f"{name}.npz")
            for name in ("filters", "feature_maps", "pictures")
        )
    )
    assert {name: value.shape for name, value in filters.items()} == {
        "conv1": (4, 1, 3, 3),
        "conv2": (8, 4, 3, 3),
    }
    assert np.bincount(pictures["labels"]).tolist() == [2] * 10
    assert maps["conv1"].shape == (20, 4, 28, 28)
    assert maps["pool2_relu"].shape == (20, 8, 7, 7)
    assert maps["output"].shape == (20, 10)
    assert maps["pool1"].min() < 0 <= maps["pool1_relu"].min()
    np.testing.assert_array_equal(maps["pool1_relu"], maps["pool1"].clip(min=0))
    sheets = [*(f"filters_{name}" for name in filters), *(f"feature_maps_{name}" for name in maps)]
    units = {"preferred_by_classes", "units_pool1_relu", "units_pool2_relu"}
    assert {path.stem for path in drawn} == {"learning", "path", *sheets, *units}
    for path in drawn:
        assert path.with_suffix(".svg").exists()
        with Image.open(path) as image:
            assert min(image.size) > 100


def test_explain_of_chosen_pictures(run: fc.Run) -> None:
    fc.explain(run, pictures=[7, 3])
    pictures = read_arrays(run.explanations / "pictures.npz")
    assert pictures["indices"].tolist() == [7, 3]
    with pytest.raises(DataError, match="picture 200: test pictures are numbered 0 to 199"):
        fc.explain(run, pictures=[200])


@pytest.mark.usefixtures("tiny_data")
def test_weights_beyond_arithmetic_are_one_line(run: fc.Run) -> None:
    saved = checkpoints.load(run.checkpoints, "best")
    name = next(one for one in saved.tensors if one.endswith("output.weight"))
    saved.tensors[name].fill_(3e38)
    checkpoints.save(run.checkpoints, saved.tensors, saved.values, ("best", "last"))
    with pytest.raises(RunError, match=r"answers with what is no number, or larger than 1e\+15"):
        fc.evaluate(run, device="cpu")
