"""The files of a run: stamped, checked, read once; damaged ones are one line, never a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import fashioncnn as fc
from fashioncnn.data.sources.npz_file import NpzFile
from fashioncnn.errors import FashionCNNError, RunError
from fashioncnn.npz import Arrays
from fashioncnn.opening import trained as opening
from fashioncnn.opening.scored import scored_run
from fashioncnn.recipes.load import load
from fashioncnn.reporting.documents.files import KINDS, read
from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.figures import makers_of
from fashioncnn.reporting.groups import groups
from fashioncnn.reporting.html import draw_page
from fashioncnn.reporting.run_document import run_document
from fashioncnn.reporting.tiles import Tiles
from fashioncnn.runs import arrays, artifacts, checkpoints, json_lines, metrics, readings
from fashioncnn.runs.arrays import Spec
from fashioncnn.runs.artifact import FORM, ArraysArtifact, Artifact, JsonArtifact, Kept
from fashioncnn.runs.files import read_json
from fashioncnn.workflows.evaluate import open_evaluated

EVERY: list[Artifact[Any]] = [
    artifacts.scores(),
    artifacts.predictions(),
    *(one for one in vars(artifacts).values() if isinstance(one, Artifact)),
]
IDS = [one.path for one in EVERY]


@pytest.mark.usefixtures("tiny_data")
@pytest.mark.parametrize("artifact", [one for one in EVERY if one is not artifacts.UNKNOWN])
class TestContract:
    def kept(self, run: fc.Run, told: list[str]) -> Kept:
        return Kept(run, opening.open_trained(run, "best").weights, told.append)

    def test_what_was_written_is_read(self, artifact: Artifact[Any], reported: fc.Run) -> None:
        told: list[str] = []
        kept = self.kept(reported, told)
        content = kept.get(artifact)
        assert content is not None
        kept.put(artifact, content)
        again = self.kept(reported, told).get(artifact)
        assert again is not None
        if isinstance(artifact, ArraysArtifact):
            assert content.keys() == again.keys()
            for name, values in content.items():
                np.testing.assert_array_equal(again[name], values)
        else:
            assert again == content
        assert told == []

    def test_of_other_weights_or_form_it_is_missing(
        self, artifact: Artifact[Any], reported: fc.Run
    ) -> None:
        told: list[str] = []
        content = self.kept(reported, told).get(artifact)
        Kept(reported, "0" * 64, told.append).put(artifact, content)
        assert self.kept(reported, told).get(artifact) is None
        artifact.form, form = artifact.form + 1, artifact.form
        try:
            self.kept(reported, told).put(artifact, content)
        finally:
            artifact.form = form
        assert self.kept(reported, told).get(artifact) is None
        assert told == []

    def test_a_file_that_names_no_form_is_of_the_first(
        self, artifact: Artifact[Any], reported: fc.Run
    ) -> None:
        path = reported.path / artifact.path
        if isinstance(artifact, JsonArtifact):
            told = json.loads(path.read_text())
            del told[FORM]
            path.write_text(json.dumps(told))
        else:
            with np.load(path) as values:
                rest = {name: one for name, one in values.items() if name != FORM}
            np.savez(path, **rest)
        found = self.kept(reported, []).get(artifact)
        assert (found is not None) == (artifact.form == 1)

    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\x93NUMPY", b"[" * 100_000])
    def test_damaged_it_is_said_and_missing(
        self, artifact: Artifact[Any], content: bytes, reported: fc.Run
    ) -> None:
        (reported.path / artifact.path).write_bytes(content)
        told: list[str] = []
        assert self.kept(reported, told).get(artifact) is None
        assert len(told) == 1
        assert str(reported.path / artifact.path) in told[0]
        assert "\n" not in told[0]


@pytest.mark.usefixtures("tiny_data")
@pytest.mark.parametrize("artifact", EVERY, ids=IDS)
def test_a_page_says_what_it_can_whatever_is_damaged(
    artifact: Artifact[Any], reported: fc.Run
) -> None:
    path = reported.path / artifact.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    trained = open_evaluated(reported, device="cpu")
    (group,) = groups([scored_run(trained)])
    document = run_document(group)
    assert len(document.classes) == 10
    assert list(makers_of(document))


@pytest.mark.usefixtures("tiny_data")
def test_a_damaged_explanation_is_made_anew(reported: fc.Run) -> None:
    path = reported.path / artifacts.LEARNING.path
    path.write_bytes(b"half")
    assert "How it learned" in fc.report(reported, device="cpu").read_text()
    assert arrays.read(path)["epochs"].size


WRONG_PREDICTIONS: dict[str, Any] = {
    "shape": lambda found: found | {"logits": found["logits"][:5]},
    "axes": lambda found: found | {"logits": found["logits"][None]},
    "kind": lambda found: found | {"labels": found["labels"].astype(np.float32)},
    "label": lambda found: found | {"labels": found["labels"] + 9},
    "negative": lambda found: found | {"labels": found["labels"] - 10},
    "nan": lambda found: found | {"logits": found["logits"] * np.nan},
    "missing": lambda found: {name: one for name, one in found.items() if name != "labels"},
}


@pytest.mark.usefixtures("tiny_data")
@pytest.mark.parametrize("change", WRONG_PREDICTIONS.values(), ids=WRONG_PREDICTIONS)
def test_wrong_predictions_are_made_anew(
    change: Any, reported: fc.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fc.evaluate(reported, device="cpu")
    file = reported.path / artifacts.predictions().path
    arrays.write(file, change(arrays.read(file)))
    assert fc.evaluate(reported, device="cpu") == before
    assert "predictions.npz: damaged" in capsys.readouterr().err


def zipped(name: str, content: bytes, **more: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content, **more)
    return buffer.getvalue()


def npy(shape: tuple[int, ...], size: int) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    padded = header + " " * (118 - len(header) - 1) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + bytes(size)


def test_arrays_that_claim_too_much_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    for content in (
        zipped("a.npy", npy((10**6, 10**6), 0)),
        zipped("a.npy", npy((4,), 12)),
        zipped("a.npy", bytes(300 << 20)),
        zipped("a.npy", npy((2,), 8), compress_type=zipfile.ZIP_LZMA)[:-40],
        b"\x93NUMPY",
    ):
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"file\.npz: (damaged|more than)"):
            arrays.read(path)
    encrypted = bytearray(zipped("a.npy", npy((2,), 8)))
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(encrypted)
    with pytest.raises(RunError, match="damaged"):
        arrays.read(path)


def test_specs() -> None:
    specs = {
        "a": Spec("f", ("n", 2)),
        "b": Spec("i", ("n",), below="k"),
        "c *": Spec("u", ("k",)),
        "d": Spec("f", ("n", (1, 3), "."), share=True),
    }
    good = {
        "a": np.zeros((3, 2), np.float32),
        "b": np.array([0, 1, 3]),
        "c x": np.zeros(4, np.uint8),
        "d": np.ones((3, 1, 2)),
    }
    assert arrays.fault(good, specs) is None
    assert arrays.fault(good | {"d": np.zeros((3, 3, 1))}, specs) is None
    for wrong in (
        {"a": np.zeros((3, 3), np.float32)},
        {"a": np.full((3, 2), np.inf)},
        {"a": np.full((3, 2), np.nan)},
        {"a": np.full((3, 2), -2e15)},
        {"d": np.full((3, 1, 2), 1.1)},
        {"d": np.full((3, 1, 2), -0.1)},
        {"d": np.zeros((3, 2, 2))},
        {"d": np.zeros((3, 1, 0))},
        {"b": np.array([0, 1])},
        {"b": np.array([0, 1, 4])},
        {"b": np.array([0, 1, -1])},
        {"c x": np.zeros(3, np.uint8)},
        {"c y": np.zeros(5, np.uint8)},
    ):
        assert arrays.fault(good | wrong, specs), wrong


@pytest.mark.usefixtures("tiny_data")
def test_a_full_report_opens_everything_once(run: fc.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[str, int] = {}

    def counted(name: Any, function: Any) -> Any:
        def call(*words: Any, **more: Any) -> Any:
            key = name(*words) if callable(name) else name
            counts[key] = counts.get(key, 0) + 1
            return function(*words, **more)

        return call

    monkeypatch.setattr(checkpoints, "load", counted("network", checkpoints.load))
    monkeypatch.setattr(
        NpzFile, "read", counted(lambda source, part: f"pictures {part}", NpzFile.read)
    )
    monkeypatch.setattr(arrays, "read", counted(lambda path: f"arrays {path.name}", arrays.read))
    fc.report(run, full=True, device="cpu")
    assert counts["network"] == 1
    assert counts["pictures test"] == 1
    assert counts.get("pictures train", 0) <= 1
    # What was just made is in memory.
    assert not [key for key in counts if key.startswith("arrays")]
    counts.clear()
    fc.report(run, full=True, device="cpu")
    assert "network" not in counts
    assert "pictures test" not in counts
    assert {count for key, count in counts.items() if key.startswith("arrays")} == {1}


@pytest.mark.usefixtures("tiny_data")
def test_the_page_follows_from_its_document_alone(reported: fc.Run, tmp_path: Path) -> None:
    page = fc.report(reported, device="cpu")
    told = read_json(page.with_suffix(".json"), 64 << 20)
    assert told["kind"] == "runs"
    assert told["accuracy"]["mean"] == fc.evaluate(reported).accuracy
    document = read(page.with_suffix(".json"), RunDocument)
    shutil.rmtree(reported.explanations)
    again = draw_page(document, tmp_path / "again.html", tmp_path / "figures")
    assert again.read_text() == page.read_text()


@pytest.mark.parametrize("content", ["{}", "[]", '{"kind": "runs"}', "half"])
@pytest.mark.parametrize("kind", KINDS.values())
def test_what_is_no_document_is_one_line(kind: type[Any], content: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"report\.json: (not the|damaged)"):
        read(path, kind)


def test_tiles_keep_pictures_exactly_and_maps_closely() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(Tiles.of(images).values, images)
    maps = random.normal(size=(2, 3, 7))
    np.testing.assert_allclose(Tiles.of(maps).values, maps, atol=np.ptp(maps) / 500)
    clipped = Tiles.of(maps, -0.5, 0.5).values
    np.testing.assert_allclose(clipped, maps.clip(-0.5, 0.5), atol=1 / 500)
    assert (Tiles.of(np.ones((2, 2))).values == 1).all()
    with pytest.raises(ValueError, match="at most"):
        _ = Tiles((10**6, 10**6), 0, 1, "").values
    with pytest.raises(ValueError, match="reshape"):
        _ = Tiles((3,), 0, 1, Tiles.of(images).pixels).values


def reseal(run: fc.Run, **changes: Any) -> None:
    """Write both checkpoints' JSON files with other facts, their digests made anew."""
    for name in ("best", "last"):
        facts = read_json(run.checkpoints / f"{name}.json")
        facts.pop("sha256")
        facts |= changes
        facts["sha256"] = checkpoints.digest(facts)
        (run.checkpoints / f"{name}.json").write_text(json.dumps(facts))


def replace_tensors(run: fc.Run, packed: bytes) -> None:
    import hashlib

    name = "epoch-0009-step-000000.safetensors"
    (run.checkpoints / name).write_bytes(packed)
    sha256 = hashlib.sha256(packed).hexdigest()
    reseal(run, tensors=name, tensors_sha256=sha256)


def packed_with(run: fc.Run, change: Any) -> bytes:
    tensors = change(dict(checkpoints.load(run.checkpoints, "last").tensors))
    return safetensors.torch.save(tensors)


def nan_weights(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    name = next(name for name in tensors if name.startswith("model/"))
    return tensors | {name: tensors[name] * torch.nan}


CHECKPOINTS: dict[str, Any] = {
    "no header": lambda run: replace_tensors(run, b"\xff" * 64),
    "a huge header": lambda run: replace_tensors(run, (10**12).to_bytes(8, "little")),
    "no JSON in the header": lambda run: replace_tensors(run, (4).to_bytes(8, "little") + b"half"),
    "nothing": lambda run: replace_tensors(run, b""),
    "NaN": lambda run: replace_tensors(run, packed_with(run, nan_weights)),
    "no tensors": lambda run: replace_tensors(run, safetensors.torch.save({})),
    "other shapes": lambda run: replace_tensors(
        run,
        packed_with(run, lambda found: {name: one[:1] for name, one in found.items() if one.ndim}),
    ),
    "values missing": lambda run: reseal(run, values={}),
    "values of other types": lambda run: reseal(run, values={"epoch": "3", "step": None}),
    "negative epochs": lambda run: reseal(run, values={"epoch": -1, "step": 0}),
    "a list": lambda run: (run.checkpoints / "best.json").write_text("[]"),
    "a number for a file": lambda run: reseal(run, tensors=3),
}


@pytest.mark.usefixtures("tiny_data")
@pytest.mark.parametrize("damage", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_checkpoints_made_by_others(damage: Any, run: fc.Run) -> None:
    damage(run)
    with pytest.raises(FashionCNNError) as caught:
        fc.evaluate(run, device="cpu")
    assert "\n" not in str(caught.value)
    recipe = load(run.recipe_file)
    with contextlib.suppress(FashionCNNError):
        fc.train(recipe, out=run.path, resume=True, device="cpu")


@pytest.mark.parametrize("tail", ['{"half', "nonsense"])
def test_a_line_that_a_kill_tore_is_left_out_and_cut_off(tail: str, tmp_path: Path) -> None:
    run = fc.Run(tmp_path)
    readings.record(run, "evaluate", "0")
    with run.readings_file.open("a") as file:
        file.write(tail)
    assert readings.count(run, "evaluate") == 1
    readings.record(run, "stress", "0")
    assert [line["purpose"] for line in readings.read(run)] == ["evaluate", "stress"]
    run.readings_file.write_text("half\n" + run.readings_file.read_text())
    with pytest.raises(RunError, match="line 1 is damaged"):
        readings.read(run)
    run.readings_file.write_text('{"purpose": 3}\n')
    with pytest.raises(RunError, match="line 1 is not a reading of test"):
        readings.read(run)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"epoch": 1}',
        "[" * 100_000,
        "1" * 5000,
        '{"epoch": 1, "train/loss": NaN}',
        '{"epoch": 1, "train/loss": "0.5", "train/accuracy": 0.5, "train/learning_rate": 0.1, '
        '"train/images": 5, "train/seconds": 1, "train/images_per_second": 5}',
    ],
)
@pytest.mark.usefixtures("tiny_data")
def test_damaged_metrics_are_one_line(line: str, run: fc.Run) -> None:
    run.metrics_file.write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"metrics\.jsonl: line 1 is") as caught:
        metrics.read(run.metrics_file)
    assert len(str(caught.value)) < 300
    for verb in (fc.report, lambda one: fc.train(load(one.recipe_file), out=one.path, resume=True)):
        with pytest.raises(RunError):
            verb(run)


def test_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_BYTES", 10)
    path = tmp_path / "lines"
    path.write_text('{"epoch": 1}\n')
    with pytest.raises(RunError, match="larger than 10 bytes"):
        json_lines.read(path)


def test_every_artifact_is_of_one_path() -> None:
    assert len(set(IDS)) == len(IDS)
    assert all(isinstance(one, JsonArtifact | ArraysArtifact) for one in EVERY)


def test_epochs_have_as_many_classes_as_the_first(run: fc.Run) -> None:
    lines = run.metrics_file.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    records[1]["val/accuracy_by_class"].pop()
    run.metrics_file.write_text("".join(json.dumps(one) + "\n" for one in records))
    with pytest.raises(RunError, match=r"its epochs are of \d+ and \d+ classes"):
        metrics.read(run.metrics_file)


@pytest.mark.usefixtures("tiny_data")
@pytest.mark.parametrize(
    ("artifact", "name", "change"),
    [
        (artifacts.EXPLAINED_PICTURES, "images", lambda images: images[..., :0]),
        (artifacts.EXPLAINED_PICTURES, "images", lambda images: images[:0]),
        (artifacts.EXPLAINED_PICTURES, "probabilities", lambda values: values + 3e38),
        (artifacts.TELLING_PICTURES, "answer_probabilities", lambda values: values - 2),
        (artifacts.UNITS, "classes", lambda maps: maps[..., :0]),
        (artifacts.LEARNING, "filters", lambda filters: filters * 0 + 3e38),
        (artifacts.ATTRIBUTIONS, "edges", lambda maps: maps[:, :0]),
    ],
)
def test_altered_arrays_are_left_out_of_the_page(
    artifact: ArraysArtifact, name: str, change: Any, reported: fc.Run
) -> None:
    path = reported.path / artifact.path
    with np.load(path) as found:
        content = dict(found)
    np.savez_compressed(path, **content | {name: change(content[name])})
    page_of = run_document(groups([scored_run(opening.open_trained(reported, "best"))])[0])
    assert page_of.accuracy.mean > 0


def test_a_file_of_nothing_but_a_torn_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"half')
    json_lines.append(path, {"whole": 1})
    assert path.read_text() == '{"whole": 1}\n'


def test_arrays_in_the_order_of_fortran_and_their_number(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    values = np.arange(6).reshape(2, 3)
    np.savez(path, values=np.asfortranarray(values))
    np.testing.assert_array_equal(arrays.read(path)["values"], values)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(4097):
            archive.writestr(f"{number}.npy", b"")
    with pytest.raises(RunError, match="more than 4096 arrays"):
        arrays.read(path)


def test_explanations_of_a_network_without_convolutions_are_kept() -> None:
    images = np.zeros((2, 8, 8, 1), np.uint8)
    labels = np.arange(2)
    explained: Arrays = {"images": images, "labels": labels, "indices": labels}
    explained |= {"probabilities": np.ones((2, 3)), "stages": np.array([], np.str_)}
    assert arrays.fault(explained, artifacts.EXPLAINED_PICTURES.specs) is None
    learned: Arrays = {"epochs": np.arange(2), "filters": np.zeros((2, 0, 1, 1), np.float32)}
    assert arrays.fault(learned, artifacts.LEARNING.specs) is None


def test_metrics_from_before_classes_were_noted_are_whole(run: fc.Run) -> None:
    records = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    del records[0]["val/accuracy_by_class"]
    run.metrics_file.write_text("".join(json.dumps(one) + "\n" for one in records))
    assert len(metrics.read(run.metrics_file)) == len(records)


@pytest.mark.usefixtures("tiny_data")
def test_unknown_pictures_without_a_sign_are_damaged(reported: fc.Run) -> None:
    path = reported.path / artifacts.STRESS.path
    content = json.loads(path.read_text())
    del next(iter(content["unknown"].values()))["energy"]
    path.write_text(json.dumps(content))
    found = run_document(groups([scored_run(opening.open_trained(reported, "best"))])[0])
    assert (found.unknown, found.stress) == ((), None)
