"""The page of runs, on tiny synthetic pictures."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.console.say import say_as_much
from fashioncnn.data.dataset import DataSet
from fashioncnn.reporting.style import LONGEST_LABEL, label_of
from fashioncnn.runs import checkpoints
from fashioncnn.runs.arrays import read as read_arrays

pytestmark = pytest.mark.usefixtures("tiny_data")


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
    assert "after several epochs" in check_page(fc.report(run)).text
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


def test_long_names_are_told_apart_by_their_ends() -> None:
    first, second = (label_of(f"a class with a long name, number {one}") for one in (1, 2))
    assert first != second
    assert len(first) == LONGEST_LABEL
    assert label_of("Ankle boot") == "Ankle boot"


def test_names_of_any_letters_are_drawn(tiny_recipe: Path, tmp_path: Path) -> None:
    """Dollars make no formula; letters that the font lacks are no warning."""
    names = (*(f"$\\frac{{{number}}}$" for number in range(9)), "바지")
    train, test = (
        replace(make_pictures(count, seed), class_names=names)
        for count, seed in ((300, 0), (60, 1))
    )
    data = DataSet.of(train, test)
    run = fc.train(tiny_recipe, changes=["training.epochs=1"], data=data, out=tmp_path / "runs")
    page = check_page(fc.report(run, data=data))
    assert names[3] in page.text


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


def test_the_page_of_a_run_at_a_path_that_is_no_utf_8(reported: fc.Run, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"a\xff")
    shutil.copytree(reported.path, odd)
    shutil.rmtree(odd / "figures")
    page = fc.report(odd)
    assert "a\\udcff" in page.read_text("utf-8")
    assert json.loads(page.with_suffix(".json").read_bytes())["provenance"]


def test_details_are_said_to_who_asks(run: fc.Run, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        for level, expected in ((1, True), (0, False)):
            say_as_much(level)
            shutil.rmtree(run.path / "evaluation", ignore_errors=True)
            fc.evaluate(run, device="cpu")
            said = capfd.readouterr().err
            assert bool(re.search(r"reading the test pictures of .*: \d+\.\d s", said)) is expected
    finally:
        say_as_much(0)
