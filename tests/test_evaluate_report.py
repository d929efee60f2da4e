"""Evaluation, explanations and the page, on tiny synthetic pictures."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score

import fashioncnn as fc
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.npz_file import NpzFile
from fashioncnn.errors import DataError, RunError
from fashioncnn.opening.trained import open_trained
from fashioncnn.runs import artifacts, checkpoints, readings
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


@pytest.mark.parametrize("content", ["{}", "[]", '{"checkpoint_sha256": "of other weights"}'])
def test_stress_of_something_else_is_not_shown(reported: fc.Run, content: str) -> None:
    run = reported
    (run.evaluation / "stress.json").write_text(content)
    assert open_trained(run, "best").kept.get(artifacts.STRESS) is None


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


class Page(HTMLParser):
    """What a page asks for, and whether its tags match."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        self.sources += [str(given[name]) for name in ("src", "srcset") if name in given]
        self.links += [str(given["href"])] if "href" in given else []
        self.ids += [str(given["id"])] if "id" in given else []
        if tag == "img":
            assert given.get("alt")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(path: Path) -> Page:
    page = Page(path.read_text())
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert page.sources
    assert all(source.startswith("data:image/") for source in page.sources)
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    markup = re.sub(r"data:image/[^\"]+", "", page.text)
    assert not re.search(r"https?://|@import|url\(|<link", markup)
    assert re.findall(r"<script[^>]*>", markup) == ["<script>"]
    assert path.stat().st_size < 8_000_000
    return page


def test_the_page_of_one_run(run: fc.Run) -> None:
    path = fc.report(run)
    assert path == run.report_file
    page = check_page(path)
    scores = fc.evaluate(run)
    for words in (
        f"{100 * scores.accuracy:.2f} %",
        "Scores by class",
        "How it learned",
        "What it confuses",
        "Filters",
        "Feature maps",
        "Recipe",
        "Provenance",
        f"{100 * scores.classes[6].f1:.2f}",
        "one seed",
    ):
        assert words in page.text
    figures = {path.name for path in run.figures_folder.iterdir()}
    for name in ("confusion_matrix", "training_validation_loss", "f1_by_class", "filters_conv1"):
        assert {f"{name}.svg", f"{name}.png"} <= figures


def test_the_page_of_several_seeds_and_recipes(tiny_recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    runs = fc.train_seeds(tiny_recipe, seeds=[0, 1, 2], out=out, device="cpu")
    runs.append(fc.train(tiny_recipe, changes=["model.dropout=0.0"], out=out, device="cpu"))
    path = fc.report([run.path for run in runs])
    assert path == out / "tiny" / "report.html"
    page = check_page(path)
    accuracies = np.array([fc.evaluate(run).accuracy for run in runs[:3]]) * 100
    assert f"{accuracies.mean():.2f} ± {accuracies.std(ddof=1):.2f}" in page.text
    assert "Which is better?" in page.text
    for name in fc.evaluate(runs[0]).classes:
        assert name.name in page.text
    (compared,) = fc.compare([out / "tiny" / run.path.name for run in runs[2:]])
    assert compared.other == "tiny with model.dropout 0.0"
    assert "tiny with model.dropout 0.0" in page.text
    assert not list(out.glob("tiny/*/explanations"))
    # A folder of runs stands for all of them.
    assert fc.report(out / "tiny", out=tmp_path / "other.html") == tmp_path / "other.html"
    assert "Which is better?" in check_page(tmp_path / "other.html").text
    one_recipe = check_page(fc.report(runs[:3], out=tmp_path / "one.html"))
    assert "of 3 seeds" in one_recipe.text
    assert f"{accuracies.mean():.2f} ± {accuracies.std(ddof=1):.2f} %" in one_recipe.text
    assert not list(runs[1].path.glob("explanations"))


def test_the_page_explains_the_weights_that_were_scored(run: fc.Run) -> None:
    last = checkpoints.load(run.checkpoints, "last")
    last.tensors["model/layers.output.bias"] += 1
    checkpoints.save(run.checkpoints, last.tensors, {**last.values, "epoch": 2}, ["best"])
    shas = {name: checkpoints.load(run.checkpoints, name).sha256 for name in ("last", "best")}
    assert shas["last"] != shas["best"]
    for name in ("last", "best", "last"):
        fc.evaluate(run, checkpoint=name)
        fc.report(run)
        explained = read_arrays(run.explanations / "pictures.npz")["checkpoint_sha256"]
        assert str(explained) == shas[name]


def test_how_learning_went(run: fc.Run) -> None:
    """Weights are kept before the first epoch and after some; the page shows them."""
    fc.explain(run)
    kept = {path.name for path in run.snapshots.iterdir()}
    assert kept == {f"epoch-{epoch:04}.safetensors" for epoch in (0, 1, 2)}
    arrays = read_arrays(run.explanations / "learning.npz")
    best = checkpoints.load(run.checkpoints, "best").values["epoch"]
    assert arrays["epochs"].tolist() == [epoch for epoch in (0, 1, 2) if epoch < best] + [best]
    final = read_arrays(run.explanations / "filters.npz")["conv1"][:, 0]
    assert np.array_equal(arrays["filters"][-1], final)
    assert not np.array_equal(arrays["filters"][0], final)
    told = json.loads(run.metrics_file.read_text().splitlines()[-1])
    by_class = told["val/accuracy_by_class"]
    assert len(by_class) == 10
    assert np.mean(by_class) == pytest.approx(told["val/accuracy"])
    assert "edges appear first" in check_page(fc.report(run)).text
    assert {"learning.png", "path.png", "learning_by_class.png"} <= {
        path.name for path in run.figures_folder.iterdir()
    }


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_damaged_snapshot_is_left_out(run: fc.Run, content: bytes | None) -> None:
    path = run.snapshots / "epoch-0000.safetensors"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    fc.explain(run)
    assert 0 not in read_arrays(run.explanations / "learning.npz")["epochs"]


def test_reported_figures_stand_beside_ours(tmp_path: Path, tiny_recipe: Path) -> None:
    text = (
        tiny_recipe.read_text()
        + "[reported]\naccuracy = 0.123\n[reported.classes.Shirt]\nf1 = 1.0\n"
    )
    tiny_recipe.write_text(text)
    page = check_page(fc.report(fc.train(tiny_recipe, out=tmp_path / "runs", device="cpu")))
    assert "Reported against measured" in page.text
    row = re.search(r'accuracy</th><td>0\.1230</td><td>([\d.]+)</td><td class="better">', page.text)
    assert row


def test_a_recipes_words_cannot_inject_markup(tmp_path: Path, tiny_recipe: Path) -> None:
    evil = 'summary = "<script>alert(1)</script>"\n'
    tiny_recipe.write_text(evil + tiny_recipe.read_text())
    check_page(fc.report(fc.train(tiny_recipe, out=tmp_path / "runs", device="cpu")))


def test_scores_and_maps_of_weights_that_are_gone_are_made_anew(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    changes = ["training.epochs=1"]
    run = fc.train(tiny_recipe, changes=changes, out=tmp_path, device="cpu")
    fc.report(run)
    old = fc.evaluate(run)
    (run.evaluation / "scores.json").write_text('{"n": 3}')
    fc.report(run)
    assert fc.evaluate(run) == old
    other = fc.train(tiny_recipe, changes=changes, seed=1, out=tmp_path, device="cpu")
    shutil.rmtree(run.checkpoints)
    shutil.copytree(other.checkpoints, run.checkpoints)
    fc.report(run)
    assert json.loads((run.evaluation / "scores.json").read_text())["test_readings"] == 2
    assert fc.evaluate(run).accuracy == fc.evaluate(other).accuracy


def test_a_folder_stands_for_its_finished_runs(
    tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done, cut = fc.train_seeds(tiny_recipe, seeds=[0, 1], out=tmp_path, device="cpu")
    lines = cut.metrics_file.read_text().splitlines(keepends=True)
    cut.metrics_file.write_text("".join(lines[:2]))
    assert [run.path for run in fc.open_runs([tmp_path / "tiny"])] == [done.path]
    assert "was stopped after 2 of 3 epochs" in capsys.readouterr().err
    shutil.rmtree(done.path)
    with pytest.raises(RunError, match="none of its 1 runs was trained to its end"):
        fc.open_runs([tmp_path / "tiny"])
    assert [run.path for run in fc.open_runs([cut, cut.path])] == [cut.path]


def damage_marker(run: fc.Run) -> None:
    run.recipe_file.unlink()


def damage_recipe(run: fc.Run) -> None:
    run.recipe_file.write_text("name = 3")


def damage_provenance(run: fc.Run) -> None:
    run.provenance_file.write_text("[]")


def damage_checkpoints(run: fc.Run) -> None:
    for path in run.checkpoints.iterdir():
        path.unlink()


def damage_log(run: fc.Run) -> None:
    run.metrics_file.write_text("{}\n")


DAMAGES: list[Any] = [
    (damage_marker, "not a run directory"),
    (damage_recipe, r"recipe .*:\n  name is 3; it must be text(.|\n)*model is missing"),
    (damage_provenance, "provenance"),
    (damage_checkpoints, "no checkpoint 'best' yet"),
    (damage_log, "line 1 is not the record of epoch 1"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_damaged_runs_get_one_clear_line(run: fc.Run, damage: Any, words: str) -> None:
    damage(run)
    with pytest.raises(fc.FashionCNNError, match=words) as caught:
        fc.report(run.path)
    # A recipe tells all its faults, a line each; everything else is one line.
    assert "\n" not in str(caught.value) or damage is damage_recipe


def test_a_network_of_another_recipe_is_refused(run: fc.Run) -> None:
    text = run.recipe_file.read_text().replace("4,", "5,", 1)
    assert text != run.recipe_file.read_text()
    run.recipe_file.write_text(text)
    with pytest.raises(RunError, match="the checkpoint is of another network"):
        fc.evaluate(run)


def test_no_such_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run directory"):
        fc.evaluate(tmp_path / "nothing")
