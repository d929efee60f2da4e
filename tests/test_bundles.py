"""Bundles: they answer as the network did, are the same each time, and are opened safely."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import Tensor, nn

import fashioncnn as fc
from conftest import make_pictures, use_tiny_data
from fashioncnn.bundles import wire
from fashioncnn.bundles.bundle import (
    CARD,
    EMBEDDING,
    ENERGY,
    EXPLORER,
    INPUT,
    LOGITS,
    MODEL,
    PROBABILITIES,
    WEIGHTS,
    Bundle,
    is_bundle,
    open_bundle,
    open_session,
    run_session,
)
from fashioncnn.bundles.occlusion import occlusion
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import Shape
from fashioncnn.data.places import ENVIRONMENT_VARIABLE
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.errors import BundleError, DataError
from fashioncnn.evaluation.selective import answering
from fashioncnn.explanation.embedding import features
from fashioncnn.exporting.graph import NEWEST_OPSET, OLDEST_OPSET, OPSET, to_onnx
from fashioncnn.exporting.new_bundle import NewBundle, check_place, put
from fashioncnn.exporting.onnx_functions import read_once
from fashioncnn.models.parts import parts_of
from fashioncnn.opening.models import own_bundle
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load
from fashioncnn.workflows.evaluate_bundle import evaluate_bundle

Words = Callable[..., tuple[int, str, str]]
NETWORKS = Path(__file__).parent / "networks"
NODE_MODULES = Path.home() / ".cache" / "fashioncnn-tests" / "node_modules"


@pytest.fixture(scope="session")
def exported_once(
    trained_once: Path, tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The bundle of a tiny run, for copies alone."""
    out = tmp_path_factory.mktemp("exported")
    run = Path(shutil.copytree(trained_once, out / trained_once.name))
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_data(patch, tiny_npz)
        return fc.export(run, out / "bundle").path


@pytest.fixture
def bundle(exported_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported_once, tmp_path / "bundle"))


def noise(shape: Shape, n: int = 9, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    size = (n, shape.height, shape.width, shape.channels)
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def assert_same(network: nn.Module, preparation: Preparation, shape: Shape, **how: Any) -> None:
    """The file answers as PyTorch does, for any number of pictures, whatever it is asked."""
    network = network.eval()
    graph = to_onnx(network, preparation, shape, temperature=1.7, **how)
    session = open_session(graph.content)
    for count in (1, 2, 7):
        images = noise(shape, count, seed=count)
        prepared = preparation(as_uint8_NCHW(images, torch.device("cpu")))
        with torch.no_grad():
            logits = network(prepared)
        found = run_session(session, images, [LOGITS, PROBABILITIES, ENERGY, EMBEDDING])
        scale = max(1.0, float(logits.abs().max()))
        np.testing.assert_allclose(found[0], logits, atol=2e-5 * scale)
        np.testing.assert_allclose(found[1], torch.softmax(logits / 1.7, 1), atol=1e-5 * scale)
        np.testing.assert_allclose(found[2], torch.logsumexp(logits, 1), atol=2e-5 * scale)
        wanted = features(network, prepared)
        np.testing.assert_allclose(found[3], wanted, atol=2e-5 * max(1, np.abs(wanted).max()))
        assert graph.features == wanted.shape[1]


@pytest.mark.parametrize("name", builtin_names())
def test_every_recipe_answers_as_in_pytorch(name: str) -> None:
    recipe = load(name)
    torch.manual_seed(0)
    network = build_network(recipe, 10)
    # Fresh statistics would make batch norm the identity.
    with torch.no_grad():
        network.train()(torch.randn(32, 1, *recipe.data.size))
    assert_same(network, build_preparation(recipe), Shape(1, 28, 28))


@pytest.mark.parametrize("name", ["lenet", "se_resnet", "depthwise", "vit", "mixer"])
def test_networks_of_ones_own_answer_as_in_pytorch(name: str) -> None:
    recipe = load(NETWORKS / f"{name}.toml")
    torch.manual_seed(0)
    network = build_network(recipe, 10)
    assert_same(network, build_preparation(recipe), Shape(1, 28, 28))


@pytest.mark.parametrize(
    ("shape", "size"),
    [(Shape(3, 48, 64), (48, 64)), (Shape(3, 48, 64), (28, 28)), (Shape(1, 12, 40), (30, 20))],
)
def test_colour_and_sizes_are_prepared_inside(shape: Shape, size: tuple[int, int]) -> None:
    recipe = load("fast-93", {"data.image_size": list(size), "model.members": 2})
    torch.manual_seed(0)
    means, stds = (0.1, 0.5, 0.3)[: shape.channels], (0.2, 0.4, 0.9)[: shape.channels]
    network = build_network(recipe, 5, shape.channels)
    assert_same(network, Preparation(size, means, stds), shape)


def test_the_exporter_reads_its_functions_once() -> None:
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    own = vars(ONNXRegistry)["from_torchlib"]
    with read_once():
        kept = ONNXRegistry.from_torchlib(opset_version=OPSET)
        assert ONNXRegistry.from_torchlib(opset_version=OPSET) is kept
        assert ONNXRegistry.from_torchlib(opset_version=NEWEST_OPSET) is not kept
    assert vars(ONNXRegistry)["from_torchlib"] is own


def test_an_exporter_of_another_kind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    monkeypatch.delattr(ONNXRegistry, "from_torchlib")
    with read_once():
        assert "from_torchlib" not in vars(ONNXRegistry)
    assert "from_torchlib" not in vars(ONNXRegistry)


@pytest.mark.parametrize("opset", [OLDEST_OPSET, NEWEST_OPSET])
def test_old_and_new_opsets(opset: int) -> None:
    recipe = load("two-conv")
    network, preparation = build_network(recipe, 10), build_preparation(recipe)
    assert_same(network, preparation, Shape(1, 28, 28), opset=opset)
    content = to_onnx(network.eval(), preparation, Shape(1, 28, 28), opset=opset).content
    assert {one.domain: one.version for one in onnx.load_from_string(content).opset_import} == {
        "": opset
    }


def test_maps_come_out_on_request() -> None:
    recipe = load("two-conv")
    network, preparation = build_network(recipe, 10).eval(), build_preparation(recipe)
    layer = parts_of(network).shown["pool1_relu"]
    shape = Shape(1, 28, 28)
    graph = to_onnx(network, preparation, shape, maps={"pool1_relu": layer})
    assert graph.maps == ("maps/pool1_relu",)
    images = noise(shape)
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.no_grad():
        network(preparation(as_uint8_NCHW(images, torch.device("cpu"))))
    hook.remove()
    (found,) = run_session(open_session(graph.content), images, graph.maps)
    np.testing.assert_allclose(found, kept[0], atol=1e-5)


class Lacking(nn.Module):
    """Uses what ONNX has no word for."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(784, 10)
        self.odd = Bessel()

    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.odd(self.layer(images.flatten(1)))
        return answer


class Bessel(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        answer: Tensor = torch.special.bessel_j0(values)
        return answer


class Branching(Lacking):
    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.layer(images.flatten(1))
        return answer if answer.sum() > 0 else -answer


def test_what_onnx_cannot_say_is_named_with_its_layer() -> None:
    with pytest.raises(BundleError, match=r"no operator for .*bessel_j0, in odd$"):
        to_onnx(Lacking().eval(), Preparation(), Shape(1, 28, 28))
    with pytest.raises(BundleError, match=r"cannot be followed: .*no branches"):
        to_onnx(Branching().eval(), Preparation(), Shape(1, 28, 28))


def test_a_run_gives_the_same_bytes_each_time(
    run: fc.Run, exported_once: Path, tiny_data: None, tmp_path: Path
) -> None:
    made = fc.export(run, tmp_path / "again")
    names = sorted(file.name for file in made.path.iterdir())
    assert names == sorted(file.name for file in exported_once.iterdir())
    for name in names:
        assert (made.path / name).read_bytes() == (exported_once / name).read_bytes(), name
    assert str(tmp_path).encode() not in made.model
    # A bundle is replaced; something else is not.
    fc.export(run, tmp_path / "again")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").touch()
    with pytest.raises(BundleError, match="is there already, and no bundle"):
        fc.export(run, tmp_path / "other")
    assert [one.name for one in (tmp_path / "other").iterdir()] == ["thesis.txt"]
    with pytest.raises(BundleError, match="opset 7: 18 to 23"):
        fc.export(run, opset=7)
    with pytest.raises(BundleError, match="license has 201 characters; at most 200"):
        fc.export(run, license="x" * 201)


def test_a_link_to_a_bundle_stays_one(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(bundle)
    opened = open_bundle(bundle)
    made = NewBundle(opened.facts, opened.model, (bundle / WEIGHTS).read_bytes(), "", None)
    put(tmp_path / "current", made)
    assert (tmp_path / "current").is_symlink()
    assert open_bundle(tmp_path / "current").facts == opened.facts
    assert not (bundle / EXPLORER).exists()


def test_it_scores_and_answers_as_the_run(
    run: fc.Run, bundle: Path, tiny_data: None, tmp_path: Path, words_of: Words
) -> None:
    scores = fc.evaluate(run)
    status, out, _ = words_of("evaluate", bundle, "--json", "--data", tiny_place())
    (told,) = json.loads(out)["bundles"]
    assert status == 0
    assert told["accuracy"] == scores.accuracy
    assert told["confusion"] == [list(row) for row in scores.confusion]
    opened = open_bundle(bundle)
    assert opened.facts.test.accuracy.value == scores.accuracy
    assert opened.facts.parity.changed_answers == 0
    images = make_pictures(20, seed=9).images_NHWC
    of_run = fc.load(run, device="cpu").predict(images).probabilities
    np.testing.assert_allclose(opened.predict(images).probabilities, of_run, atol=1e-5)
    # The temperature was fitted on validation, where that is not all right already.
    changes = ["training.epochs=1", "optimizer.learning_rate=0.0005"]
    rough = fc.train(run.recipe_file, changes=changes, out=tmp_path / "rough", device="cpu")
    of_rough = fc.export(rough, explorer=False)
    assert of_rough.temperature == fc.load(rough).temperature != 1 == opened.temperature
    status, out, _ = words_of("bench", "predict", bundle, "--batch-size", 1, "--json")
    assert json.loads(out)["precision"] == "fp32"
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "one.png")
    sheet = tmp_path / "sheet.png"
    status, out, _ = words_of("predict", bundle, tmp_path / "one.png", "--json", "--show", sheet)
    (answer,) = json.loads(out)["pictures"]
    assert answer["answer"] == opened.predict(images[:1]).classes[0]
    with Image.open(sheet) as drawn:
        assert drawn.size[0] > 500


def tiny_place() -> str:

    return os.environ[ENVIRONMENT_VARIABLE]


def test_no_torch_is_imported(bundle: Path, tiny_npz: Path, tmp_path: Path) -> None:
    Image.fromarray(make_pictures(1).images_NHWC[0, ..., 0]).save(tmp_path / "one.png")
    for words in (
        ["recipes"],
        ["recipes", "two-conv"],
        ["predict", tmp_path / "one.png"],
        ["predict", bundle, tmp_path / "one.png"],
        ["evaluate", bundle, "--data", tiny_npz],
        ["bench", "predict", bundle, "--batch-size", "1"],
    ):
        code = textwrap.dedent(
            f"""
            import sys
            from fashioncnn.cli.main import main
            sys.argv = ["fashioncnn", *{[*map(str, words)]!r}]
            try:
                main()
            except SystemExit as ended:
                assert not ended.code, ended.code
            assert "torch" not in sys.modules
            """
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_int8_states_what_it_costs(
    run: fc.Run, bundle: Path, tiny_data: None, tmp_path: Path
) -> None:
    made = fc.export(run, tmp_path / "int8", int8=True, int8_bound_points=100)
    told = made.facts.quantised
    assert told is not None
    assert told.calibration == "100 validation pictures"
    assert told.bytes < told.fp32_bytes
    answered = made.predictions(fc.DataSet(tiny_place()).test)
    assert told.accuracy == (answered.predicted == answered.labels).mean()
    operators = {node.op_type for node in onnx.load_from_string(made.model).graph.node}
    assert "QuantizeLinear" in operators
    speed = json.loads((made.path / "speed.json").read_text())["batches"]
    assert {"fp32", "int8"} == speed.keys()
    assert "computes in int8" in (made.path / "README.md").read_text()
    again = fc.export(run, tmp_path / "again", int8=True, int8_bound_points=100)
    assert again.model == made.model


def test_the_card_answers_in_python_and_javascript(bundle: Path) -> None:
    card = (bundle / "README.md").read_text()
    opened = open_bundle(bundle)
    # The pictures that the card makes up are black.
    black = np.zeros((1, 28, 28, 1), np.uint8)
    (probabilities,) = opened.run(black, [PROBABILITIES])
    wanted = opened.class_names[int(probabilities[0].argmax())]
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=bundle
    ).stdout
    assert said.rpartition(" ")[0] == wanted
    assert float(said.rpartition(" ")[2]) == pytest.approx(float(probabilities.max()), abs=1e-6)
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "onnxruntime-node").is_dir():
        pytest.skip("onnxruntime-node is not installed: see .ci/run")
    (code,) = re.findall(r"```javascript\n(.*?)```", card, re.DOTALL)
    (bundle / "node_modules").symlink_to(NODE_MODULES)
    (bundle / "ask.js").write_text(code)
    done = subprocess.run([node, "ask.js"], capture_output=True, text=True, cwd=bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().rpartition(" ")[0] == wanted
    assert float(done.stdout.split()[-1]) == pytest.approx(float(probabilities.max()), abs=1e-6)


def test_everything_is_in_the_metadata(bundle: Path) -> None:
    opened = open_bundle(bundle)
    told = opened.session.get_modelmeta().custom_metadata_map
    assert json.loads(told["class_names"]) == list(opened.class_names)
    assert float(told["temperature"]) == opened.temperature
    assert json.loads(told["fashioncnn"]) == json.loads(opened.facts.model_dump_json())
    assert told["weights_sha256"] == sha256((bundle / "model.safetensors").read_bytes())
    assert told["recipe"] == (bundle / "recipe.toml").read_text()
    # 100 of 600 are set aside for validation.
    assert opened.facts.trained_on.train_images == 500


def test_what_a_class_is_called_breaks_no_card() -> None:
    from fashioncnn.exporting.card import plain

    assert plain("a|b\n<script>*x*") == r"a\|b \<script\>\*x\*"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def anew(bundle: Path, model: bytes | None = None, **facts: Any) -> None:
    """Change a bundle, and make its digests anew, as a hostile one would."""
    config = json.loads((bundle / "config.json").read_text())
    if model is not None:
        (bundle / MODEL).write_bytes(model)
        config["files"][MODEL] = {"sha256": sha256(model), "bytes": len(model)}
    config["facts"] |= facts
    (bundle / "config.json").write_text(json.dumps(config))


def external(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def external_in_attribute(model: Any) -> None:
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [0.0])
    tensor.data_location = TensorProto.EXTERNAL
    node = helper.make_node("Constant", [], ["unused"], value=tensor)
    model.graph.node.insert(0, node)


def looping(model: Any) -> None:
    graph = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["a", "b"], ["c"], body=graph))


def foreign(model: Any) -> None:
    model.graph.node.append(helper.make_node("Run", ["a"], ["b"], domain="org.evil"))


def importing(model: Any) -> None:
    model.opset_import.append(helper.make_opsetid("org.evil", 1))


def with_function(model: Any) -> None:
    model.functions.append(helper.make_function("f", "f", [], [], [], []))


def other_input(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 29


def unknown_operator(model: Any) -> None:
    model.graph.node[0].op_type = "Nothing"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (external, "its weights lie in another file"),
        (external_in_attribute, "its weights lie in another file"),
        (looping, "the operator Loop holds a graph of its own"),
        (foreign, "operators of 'org.evil'"),
        (importing, "operators of 'org.evil'"),
        (with_function, "functions or training of its own"),
    ],
)
def test_hostile_files_are_refused_before_they_are_opened(
    bundle: Path, change: Callable[[Any], None], says: str
) -> None:
    model = onnx.load_from_string((bundle / MODEL).read_bytes())
    change(model)
    anew(bundle, model.SerializeToString())
    with pytest.raises(BundleError, match=f"model.onnx is refused: .*{re.escape(says)}"):
        open_bundle(bundle)


def wide_key(number: int, content: bytes) -> bytes:
    """A field whose key parsers cut off: they see another one than who reads it whole."""
    key = (number << 3 | 2) + (1 << 32)
    return b"".join([varint(key), varint(len(content)), content])


def varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def impossible_shape(model: Any) -> None:
    shape = helper.make_tensor("wrong", TensorProto.INT64, [2], [7, 13])
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("Reshape", ["logits", "wrong"], ["unused"]))
    model.graph.output.append(helper.make_tensor_value_info("unused", TensorProto.FLOAT, [7, 13]))


def not_a_number(model: Any) -> None:
    for weights in model.graph.initializer:
        if weights.data_type == TensorProto.FLOAT:
            values = np.full(tuple(weights.dims), np.nan, np.float32)
            weights.CopyFrom(numpy_helper.from_array(values, weights.name))


@pytest.mark.parametrize(
    ("change", "says"),
    [(impossible_shape, "cannot be computed"), (not_a_number, "answers with what is no number")],
)
def test_what_cannot_be_computed_is_one_line(
    bundle: Path, tmp_path: Path, words_of: Words, change: Callable[[Any], None], says: str
) -> None:
    model = onnx.load_from_string((bundle / MODEL).read_bytes())
    change(model)
    anew(bundle, model.SerializeToString())
    Image.new("L", (28, 28), 90).save(tmp_path / "one.png")
    status, _, err = words_of("predict", bundle, tmp_path / "one.png")
    assert status == 2
    assert (err.count("\n"), says in err) == (1, True)


def test_what_is_no_part_of_a_bundle_is_kept(bundle: Path) -> None:
    (bundle / "LICENSE").write_text("mine")
    with pytest.raises(BundleError, match="holds 'LICENSE', which is no part of a bundle"):
        check_place(bundle)
    (bundle / "LICENSE").unlink()
    check_place(bundle)


def test_files_that_readers_see_differently_are_refused(bundle: Path) -> None:
    model = (bundle / MODEL).read_bytes()
    graph = helper.make_graph([], "second", [], [])
    anew(bundle, model + wide_key(7, graph.SerializeToString()))
    with pytest.raises(BundleError, match="it is no ONNX model"):
        open_bundle(bundle)
    anew(bundle, model + b"\x3a\x00")
    with pytest.raises(BundleError, match="2 graphs in place of one"):
        open_bundle(bundle)
    anew(bundle, model[:4] + b"ORTM" + model[8:])
    with pytest.raises(BundleError, match="ONNX Runtime's own form"):
        open_bundle(bundle)


def test_maps_that_are_not_there_are_told(bundle: Path) -> None:
    anew(bundle, maps=["nope"])
    with pytest.raises(BundleError, match="no feature maps 'nope'"):
        _ = open_bundle(bundle).session


@pytest.mark.parametrize("change", [other_input, unknown_operator])
def test_files_that_do_not_fit_are_refused_when_asked(
    bundle: Path, change: Callable[[Any], None]
) -> None:
    model = onnx.load_from_string((bundle / MODEL).read_bytes())
    change(model)
    anew(bundle, model.SerializeToString())
    with pytest.raises(BundleError) as refused:
        open_bundle(bundle).predict(make_pictures(1).images_NHWC)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"class_names": ["a", "a"]}, "same name"),
        ({"class_names": ["a"]}, "class_names"),
        ({"class_names": ["a", "\x1b[31mb"]}, "class_names"),
        ({"height": 10**9}, "height"),
        ({"channels": 2}, "channels"),
        ({"form": 2}, "form"),
        ({"name": "../up"}, "name"),
        ({"precision": "int8"}, "precision"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_facts_that_cannot_be_are_named(bundle: Path, facts: dict[str, Any], says: str) -> None:
    anew(bundle, **facts)
    with pytest.raises(BundleError, match=f"not what a bundle says of itself .*{says}"):
        open_bundle(bundle)


def test_damaged_bundles_are_one_line(bundle: Path, tmp_path: Path, words_of: Words) -> None:
    def refused(says: str) -> None:
        with pytest.raises(BundleError, match=says) as wrong:
            open_bundle(bundle)
        assert "\n" not in str(wrong.value)

    config, model = (bundle / "config.json").read_text(), (bundle / MODEL).read_bytes()
    (bundle / MODEL).write_bytes(model[:-1] + bytes([model[-1] ^ 1]))
    refused("damaged, or changed since it was made")
    status, out, err = words_of("predict", bundle, tmp_path / "one.png")
    assert (status, out, err.count("\n")) == (2, "", 1)
    (bundle / MODEL).write_bytes(model[:-1])
    refused("bytes; .* are said")
    (bundle / MODEL).unlink()
    (bundle / MODEL).symlink_to("/etc/passwd")
    refused("no plain file")
    (bundle / MODEL).unlink()
    refused("not a bundle")
    (bundle / MODEL).write_bytes(model)
    for text, says in (
        ("[" * 100_000, "not JSON"),
        ("{}", "not what a bundle says"),
        ("[1]", "not what a bundle says"),
        (config.replace("model.safetensors", "../../evil"), "names '../../evil'"),
        (" " * (2 << 20), "larger than"),
    ):
        (bundle / "config.json").write_text(text)
        refused(says)
    with pytest.raises(BundleError, match="no such bundle"):
        open_bundle(tmp_path / "nowhere")


def test_mutants_of_the_file_are_refused_or_answer(bundle: Path) -> None:
    """Digests made anew: nothing but BundleError may come of it."""
    random = np.random.default_rng(0)
    model = (bundle / MODEL).read_bytes()
    refused = []
    for _ in range(60):
        mutant = bytearray(
            model[: random.integers(1, len(model))] if random.random() < 0.2 else model
        )
        # Where the graph is described; weights are most of the file.
        for place in random.integers(0, min(len(mutant), 3000), random.integers(1, 4)):
            mutant[place] = random.integers(0, 256)
        anew(bundle, bytes(mutant))
        try:
            opened = open_bundle(bundle)
            _ = opened.session
        except BundleError as wrong:
            refused.append(str(wrong))
    assert len(refused) > 20
    assert not any("\n" in words for words in refused)


def test_pictures_of_another_shape_are_one_line() -> None:
    with pytest.raises(DataError, match="takes pictures grey, 28 x 28"):
        own_bundle().predict(np.zeros((1, 30, 30), np.uint8))
    with pytest.raises(DataError, match="pictures must be uint8"):
        own_bundle().predict(np.zeros((0, 28, 28), np.uint8))


def test_occlusion_finds_the_only_pixels_that_matter() -> None:
    def log_probabilities(images: Any) -> Any:
        bright = images[:, 4:8, 4:8, 0].mean((1, 2)) / 255
        return np.stack([bright, -bright], 1)

    image = np.full((1, 28, 28, 1), 255, np.uint8)
    found = occlusion(log_probabilities, image, np.array([0]))
    assert found.shape == (1, 28, 28)
    assert found[0, 5, 5] > 0.2
    assert np.abs(found[0, 16:, 16:]).max() == 0


class Hub(BaseHTTPRequestHandler):
    """Stands in for the hub: takes a repository and one commit."""

    told: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append((self.path, body))
        if self.path.endswith("/preupload/main"):
            files = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                     for one in json.loads(body)["files"]]  # fmt: skip
            self._say({"files": files})
        else:
            self._say({"url": "https://huggingface.co/me/net", "commitUrl": "https://huggingface.co/me/net/commit/1",
                       "commitOid": "1" * 40, "success": True})  # fmt: skip

    def do_GET(self) -> None:
        self._say({"id": "me/net", "sha": "1" * 40, "siblings": [], "tags": []})

    def _say(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        del args


def test_push_uploads_every_file(bundle: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from fashioncnn.exporting.hub import push
        print(push(Path({str(bundle)!r}), "me/net"))
        """
    )
    address = f"http://127.0.0.1:{server.server_port}"
    environment = {"HF_ENDPOINT": address, "HF_TOKEN": "hf_x", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={"PATH": "", "HOME": str(bundle), **environment},
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stderr
    commit = next(body for path, body in Hub.told if "/commit/" in path)
    lines = [json.loads(line) for line in commit.splitlines()]
    sent = {line["value"]["path"] for line in lines if line["key"] == "file"}
    assert {"config.json", "README.md", "model.onnx", "model.safetensors"} <= sent


def test_a_hub_that_refuses_is_one_line(bundle: Path) -> None:
    code = f"""
from pathlib import Path
from fashioncnn.errors import BundleError
from fashioncnn.exporting.hub import push
try:
    push(Path({str(bundle)!r}), "me/net")
except BundleError as wrong:
    assert "\\n" not in str(wrong), wrong
else:
    raise SystemExit(1)
"""
    environment = {"HF_ENDPOINT": "http://127.0.0.1:9", "PATH": "", "HOME": str(bundle)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["photo", "tiny", "micro"])
def test_a_network_that_comes_along_is_as_good_as_its_card_says(name: str) -> None:
    opened = open_bundle(name)
    assert opened.facts.recipe == name
    assert sum(file.stat().st_size for file in opened.path.iterdir()) <= 1_500_000
    said = opened.facts.test
    assert f"| accuracy | {said.accuracy.value:.4f} |" in (opened.path / CARD).read_text()
    found = evaluate_bundle(name).scores.accuracy
    # Another processor may add up in another order.
    assert found == pytest.approx(said.accuracy.value, abs=2e-4)
    some = DataSet().test.take(np.arange(2000))
    told = opened.predictions(some).at_temperature(opened.facts.temperature)
    for one in opened.facts.thresholds:
        given = answering(told, one.confidence)
        assert given.coverage == pytest.approx(one.coverage, abs=0.02)
        assert given.risk == pytest.approx(one.risk, abs=0.01)


def test_a_name_is_a_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_bundle(Path("photo"))
    (tmp_path / "photo").mkdir()
    assert not is_bundle(Path("photo"))
    with pytest.raises(BundleError, match="photo: not a bundle"):
        open_bundle("photo")
    assert own_bundle().facts.recipe == "photo"
    with pytest.raises(BundleError, match=r"none: no such bundle \(these come along: .*photo"):
        open_bundle("none")


def test_the_bundle_knows_itself() -> None:
    opened = own_bundle()
    assert isinstance(opened, Bundle)
    assert opened.session.get_inputs()[0].name == INPUT
    assert opened.photographs
    assert opened.facts.trained_on.name == "Fashion-MNIST"


def test_an_onnx_file_has_so_many_fields_in_all() -> None:
    # A graph of empty names, twice, each within the bound.
    half = b"\x12\0" * (wire.MAX_FIELDS // 2)
    size = len(half)
    packed = bytes(((size >> shift) & 0x7F) | 0x80 for shift in (0, 7, 14)) + bytes([size >> 21])
    graph = b"\x3a" + packed + half
    with pytest.raises(wire.NotWanted, match="2 graphs in place of one"):
        wire.check_model(graph[: -len(half)] + half[:-4] + b"\x12\2\0\0" + b"\x3a\0")
    with pytest.raises(wire.NotWanted, match="it is no ONNX model"):
        wire.check_model(graph + graph)


def test_evaluate_takes_a_bundle() -> None:
    few = make_pictures(30)
    scores = fc.evaluate(own_bundle(), data=DataSet.of(few, few))
    assert len(few) == sum(map(sum, scores.confusion))


def test_a_network_is_asked_about_pictures_of_its_size() -> None:
    with pytest.raises(DataError, match="takes pictures grey, 28 x 28, not grey, 32 x 32"):
        own_bundle().predict(np.zeros((2, 32, 32), np.uint8))
