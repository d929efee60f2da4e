"""Parts of one's own in runs: the same weights, copies that stay, and nothing run untrusted."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import fashioncnn as fc
from conftest import TINY_RECIPE, Cli
from fashioncnn.errors import (
    CodeError,
    Diverged,
    FashionCNNError,
    RecipeError,
    RunError,
    Stopped,
    StudyError,
    TrustError,
)
from fashioncnn.explanation.attribution import randomised
from fashioncnn.opening.trained import open_trained
from fashioncnn.recipes.load import load
from fashioncnn.runs import checkpoints
from fashioncnn.training.losses.own import OwnLoss
from networks_in_file import Configurable, Mean, Plain, Secretive, make_plain

Words = Callable[..., tuple[int, str, str]]
NETWORKS = Path(__file__).parent / "networks"

pytestmark = pytest.mark.usefixtures("tiny_data")

MINE = """
from fashioncnn.models.plain_cnn import PlainCNN

class Mine(PlainCNN):
    def __init__(self, channels, hidden_features, dropout=0.0, *, in_channels, image_size, classes):
        super().__init__(channels=channels, hidden_features=hidden_features, dropout=dropout,
                         in_channels=in_channels, image_size=image_size, classes=classes)
"""
OWN_RECIPE = TINY_RECIPE.replace("[model]\n", '[model]\nfamily = "mine.py:Mine"\n')


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text(OWN_RECIPE)
    return tmp_path / "mine.toml"


def weights(run: fc.Run) -> dict[str, list[float]]:
    tensors = checkpoints.load(run.checkpoints, "last").tensors
    return {
        name: one.flatten().tolist() for name, one in tensors.items() if name.startswith("model/")
    }


def trust_no_one(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Be another machine: nothing is trusted, nothing is known."""
    from fashioncnn.usercode.modules import _LIBRARY

    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "elsewhere"))
    monkeypatch.setattr(_LIBRARY, "sources", {})
    monkeypatch.setattr(_LIBRARY, "trusted", {})


def test_weights_are_those_of_the_same_network_built_in(
    mine: Path, tiny_recipe: Path, tmp_path: Path
) -> None:
    own = fc.train(mine, out=tmp_path / "own", device="cpu")
    builtin = fc.train(tiny_recipe, out=tmp_path / "builtin", device="cpu")
    assert weights(own) == weights(builtin)
    assert (own.path / "code" / "mine.py").read_text() == MINE
    assert own.provenance["code_folder"] == str(tmp_path)


def test_keywords_are_checked_and_files_found(mine: Path) -> None:
    for changes, told in {
        "model.chanels=[4]": "Mine takes no chanels; did you mean channels?",
        "model.family=mine.py:Mien": "has no Mien of its own; did you mean Mine?",
        "model.family=other.py:Mine": "other.py: no such file",
        "model.family=mine.py": "write it as mine.py:MyNet",
        "model.channels={a=1}": "model.channels is",
    }.items():
        with pytest.raises(FashionCNNError) as raised:
            load(mine, [changes])
        assert told in str(raised.value)
    mine.write_text(OWN_RECIPE.replace("hidden_features = [16]\n", ""))
    with pytest.raises(RecipeError, match="Mine needs hidden_features"):
        load(mine)


def test_a_network_for_one_size_is_tried_with_small_pictures_first(
    mine: Path, tmp_path: Path
) -> None:
    small = "progressive_resizing={image_scales=[0.5], epoch_shares=[0.4]}"
    with pytest.raises(
        CodeError, match=r"progressive_resizing: .*Mine cannot take .* 14 x 14: mat1"
    ):
        fc.train(mine, changes=[small], out=tmp_path / "runs", device="cpu")
    assert not (tmp_path / "runs").exists()


def test_a_change_from_a_built_in_network_to_ones_own_leaves_its_keys(
    mine: Path, tiny_recipe: Path
) -> None:
    address = f"{mine.parent}/mine.py:Mine"
    changes = {"model.family": address, "model.channels": [2], "model.hidden_features": [3]}
    own = load(tiny_recipe, changes)
    assert own.model.model_dump() == {
        "family": "mine.py:Mine",
        "members": 1,
        "channels": [2],
        "hidden_features": [3],
    }
    back = load(
        own, {"model.family": "plain-cnn", "model.channels": [4], "model.hidden_features": [5]}
    )
    assert back.model.family == "plain-cnn"
    assert back.code == {}


def test_a_run_goes_on_with_its_copy_when_the_file_changed_or_went(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    whole = fc.train(mine, out=tmp_path / "whole", device="cpu")
    with pytest.raises(Stopped):
        fc.train(mine, out=out, device="cpu", after_epoch=lambda record: record["epoch"] == 1)
    (tmp_path / "mine.py").write_text(MINE + "\n# changed\n")
    with pytest.raises(Stopped):
        fc.train(
            mine,
            out=out,
            device="cpu",
            resume=True,
            after_epoch=lambda record: record["epoch"] == 2,
        )
    assert "the code has changed since" in capsys.readouterr().err
    (tmp_path / "mine.py").unlink()
    run = fc.train(mine, out=out, device="cpu", resume=True)
    assert weights(run) == weights(whole)
    assert (run.path / "code" / "mine.py").read_text() == MINE
    fc.evaluate(run)
    assert "changed or went since" in capsys.readouterr().err
    assert fc.report(run, device="cpu").is_file()
    with pytest.raises(CodeError, match=r"mine.py: no such file"):
        fc.train(mine, out=tmp_path / "new", device="cpu")
    # The run's own recipe is complete: it trains again, from its copy.
    again = fc.train(run.recipe_file, out=tmp_path / "again", device="cpu")
    assert weights(again) == weights(whole)


def test_seeds_that_are_resumed_are_of_one_version(mine: Path, tmp_path: Path) -> None:
    out, changes = tmp_path / "runs", {"training.epochs": 1}
    fc.train(mine, seed=1, changes=changes, out=out, device="cpu")
    (tmp_path / "mine.py").write_text(MINE + "\n# changed\n")
    fc.train(mine, seed=0, changes=changes, out=out, device="cpu")
    # The newest run decides; the other seed is trained again, not taken from another version.
    runs = fc.train_seeds(mine, seeds=[0, 1], changes=changes, out=out, resume=True, device="cpu")
    assert len({(run.path / "code" / "mine.py").read_text() for run in runs}) == 1


def test_two_versions_live_side_by_side(tmp_path: Path) -> None:
    recipe = tmp_path / "one.toml"
    recipe.write_text(OWN_RECIPE)
    file = tmp_path / "mine.py"
    answers = {}
    for width in (1, 2):
        file.write_text(f"from helper import WIDTH\n{MINE}\n    width = {width} * WIDTH\n")
        (tmp_path / "helper.py").write_text(f"WIDTH = {width}\n")
        answers[width] = load(recipe).own_parts()[0]
    assert {width: one.target.width for width, one in answers.items()} == {1: 1, 2: 4}  # type: ignore[attr-defined]


def test_files_beside_it_go_along_or_are_refused(tmp_path: Path) -> None:
    from fashioncnn.usercode.source import read

    def reading(text: str) -> list[str]:
        (tmp_path / "net.py").write_text(text)
        return sorted(read(tmp_path / "net.py").files)

    (tmp_path / "helper.py").write_text("from deeper import X\n")
    (tmp_path / "deeper.py").write_text("import net\nX = 1\n")
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "one.py").write_text("")
    assert reading("import torch\nimport helper as h\n") == ["deeper.py", "helper.py", "net.py"]
    assert reading("from .deeper import X\n") == ["deeper.py", "net.py"]
    for text, told in {
        "import blocks\n": "only single files go along",
        "from blocks.one import x\n": "only single files go along",
        "from ..other import x\n": "a folder above",
        "x = = 1\n": r"net.py:1: invalid syntax",
        "\0": "not Python that can be read|null bytes",
    }.items():
        with pytest.raises(CodeError, match=told):
            reading(text)
    (tmp_path / "random.py").write_text("")
    with pytest.raises(CodeError, match="call that file otherwise"):
        reading("import random\n")
    (tmp_path / "torch.py").write_text("")
    with pytest.raises(CodeError, match="torch is a module of Python or of a package"):
        reading("import torch\n")
    (tmp_path / "net.py").write_bytes(b"\xff\xfe")
    with pytest.raises(CodeError, match="not UTF-8"):
        read(tmp_path / "net.py")
    (tmp_path / "net.py").write_bytes(b"#" * (2 << 20))
    with pytest.raises(CodeError, match="larger than"):
        read(tmp_path / "net.py")
    with pytest.raises(CodeError, match="called like a Python module"):
        read(tmp_path / "my-net.py")
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(CodeError, match="not a file"):
        read(tmp_path / "pipe.py")


def test_errors_in_ones_own_code_show_its_own_lines_alone(
    mine: Path, tmp_path: Path, words_of: Words
) -> None:
    text = (
        MINE + "\n    def forward(self, images):\n        return super().forward(images)[:, 0].no\n"
    )
    (tmp_path / "mine.py").write_text(text)
    status, _, said = words_of("train", str(mine), "--out", str(tmp_path / "runs"))
    assert status == 2
    assert "AttributeError: 'Tensor' object has no attribute 'no'" in said
    assert f"{tmp_path}/mine.py:10 in forward: return super().forward(images)[:, 0].no" in said
    assert "Traceback" not in said
    assert "src/fashioncnn" not in said
    # Nothing is begun before the network is known to work.
    assert not (tmp_path / "runs").exists()


def test_tuning_hands_the_files_to_its_workers(mine: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    space.write_text(
        'name = "own"\nrecipe = "mine.toml"\n[space]\nmodel.dropout = [0.0, 0.4]\n'
        "training.epochs = [1]\n"
    )
    tuned = fc.tune(space, executor=fc.Processes(2), out=tmp_path / "study", seeds=1, device="cpu")
    assert {rank.setting["model.dropout"] for rank in tuned.ranking.ranks} == {0.0, 0.4}
    assert (tuned.runs[0].path / "code" / "mine.py").is_file()
    assert load(tuned.winner).code == load(mine).code
    (tmp_path / "mine.py").write_text(MINE + "# changed\n")
    with pytest.raises(StudyError, match="changed since the study"):
        fc.tune(space, out=tmp_path / "study", resume=True, device="cpu")


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("lenet", "channels", [4, 6]),
        ("se_resnet", "reduction", [2, 4]),
        ("depthwise", "dropout", [0.0, 0.2]),
        ("vit", "heads", [2, 4]),
        ("mixer", "depth", [1, 2]),
    ],
)
def test_keywords_of_a_network_as_students_write_them_are_tuned(
    name: str, key: str, values: list[float], tmp_path: Path
) -> None:
    shutil.copytree(NETWORKS, tmp_path / "networks")
    space = tmp_path / "networks" / "space.toml"
    space.write_text(f'name = "own"\nrecipe = "{name}.toml"\n[space]\nmodel.{key} = {values}\n')
    tuned = fc.tune(space, out=tmp_path / "study", seeds=1, device="cpu")
    assert sorted(rank.setting[f"model.{key}"] for rank in tuned.ranking.ranks) == values


def test_the_speed_of_a_network_of_ones_own(tmp_path: Path) -> None:
    recipe = NETWORKS / "vit.toml"
    (file,) = fc.bench_speed([str(recipe)], seeds=1, device="cpu", out=tmp_path / "bench").values()
    measured = json.loads(file.read_text())
    assert measured["n"] == 1
    assert measured["metrics"]["train/images_per_second"]["values"][0] > 0
    assert 0 < measured["metrics"]["train/peak_share"]["values"][0] < 1


def test_a_network_handed_in(tmp_path: Path, tiny_recipe: Path) -> None:
    changes = {"training.epochs": 1}
    for number, model in enumerate(
        (Plain, Plain(width=3), functools.partial(Plain, width=3), make_plain)
    ):
        run = fc.train(
            tiny_recipe, model=model, changes=changes, out=tmp_path / str(number), device="cpu"
        )
        assert [one.name for one in (run.path / "code").iterdir()] == ["networks_in_file.py"]
        assert fc.load(run).recipe.model.model_dump().get("width") == (
            3 if number in (1, 2) else None
        )
    other = fc.train(
        tiny_recipe, model=Configurable([5, 6], "mean"), changes=changes, out=tmp_path, device="cpu"
    )
    assert fc.load(other).recipe.model.model_dump()["widths"] == [5, 6]

    class Inside(Plain):
        pass

    for model, told in {
        Secretive(7): "does not keep what it was given as self.secret",
        Inside: "is made inside a function",
        Mean: r"makes a Mean, not an nn\.Module",
        "mine": "not a network, a class or a function",
        functools.partial(Plain, 3): "by name",
    }.items():
        with pytest.raises(FashionCNNError, match=told):
            fc.train(tiny_recipe, model=model, changes=changes, out=tmp_path / "no", device="cpu")


def test_a_network_of_a_notebooks_cell_is_told(tiny_recipe: Path) -> None:
    """As `python -c`, a cell has no file that a class could be read from."""
    code = (
        "import fashioncnn as fc, torch\n"
        "class Net(torch.nn.Module): pass\n"
        f"fc.train({str(tiny_recipe)!r}, model=Net)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "CodeError: model Net is in no file" in done.stderr


def test_a_file_that_trains_while_it_is_imported_is_told(tmp_path: Path, tiny_recipe: Path) -> None:
    (tmp_path / "script.py").write_text(
        f"import fashioncnn as fc\nfc.train({str(tiny_recipe)!r})\nclass Net: pass\n"
    )
    with pytest.raises(CodeError, match="below if __name__ == '__main__'"):
        fc.train(tiny_recipe, changes={"model.family": f"{tmp_path}/script.py:Net"})


def test_a_handed_on_run_wants_trust_and_shows_what_it_has(
    mine: Path, tmp_path: Path, words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fc.train(mine, out=tmp_path / "runs", device="cpu")
    fc.evaluate(run, device="cpu")
    other = tmp_path / "other"
    shutil.copytree(run.path, other)
    trust_no_one(monkeypatch, tmp_path)
    for verb in (["explain"], ["bench", "predict"], ["evaluate", "--stress"]):
        status, _, said = words_of(*verb, str(other))
        assert status == 2, verb
        assert "holds code that this machine did not train with: mine.py" in said
        assert "--trust" in said
    with pytest.raises(TrustError):
        fc.load(other).network  # noqa: B018
    # What is there already is shown without running anything.
    assert words_of("evaluate", str(other))[0] == 0
    status, _, said = words_of("report", str(other))
    assert status == 0
    assert "not trusted" in said
    status, _, said = words_of("compare", str(other), str(run.path))
    assert status == 0
    status, _, said = words_of("explain", str(other), "--trust")
    assert status == 0
    assert "trusting mine.py" in said
    assert words_of("explain", str(other))[0] == 0


EVIL = "import pathlib\npathlib.Path({mark!r}).write_text('ran')\n"


def hostile(name: str, run: Path, mark: Path) -> None:
    """Make what the run carries hostile, its digests made to fit where that is possible."""
    evil = EVIL.format(mark=str(mark))
    recipe, code = run / "recipe.toml", run / "code"
    text = recipe.read_text()

    def digests(**files: str) -> str:
        import hashlib

        lines = [
            f'"{file}" = "{hashlib.sha256(one.encode()).hexdigest()}"'
            for file, one in files.items()
        ]
        return text[: text.index("[code]")] + "[code]\n" + "\n".join(lines) + "\n"

    if name == "code on import":
        (code / "mine.py").write_text(evil + MINE)
        recipe.write_text(digests(**{"mine.py": evil + MINE}))
    elif name == "code without a digest":
        (code / "mine.py").write_text(evil + MINE)
        recipe.write_text(text[: text.index("[code]")])
    elif name == "a changed file":
        (code / "mine.py").write_text(evil + MINE)
    elif name == "out of the folder":
        (run.parent / "evil.py").write_text(evil + MINE)
        changed = digests(**{"../evil.py": evil + MINE}).replace("mine.py:Mine", "../evil.py:Mine")
        recipe.write_text(changed)
    elif name == "a link":
        (run.parent / "evil.py").write_text(evil + MINE)
        (code / "mine.py").unlink()
        (code / "mine.py").symlink_to(run.parent / "evil.py")
        recipe.write_text(digests(**{"mine.py": evil + MINE}))
    elif name == "called torch":
        (code / "torch.py").write_text(evil)
        (code / "mine.py").write_text("import torch\n" + MINE)
        files = {"mine.py": "import torch\n" + MINE, "torch.py": evil}
        recipe.write_text(digests(**files))
    elif name == "a second file":
        (code / "helper.py").write_text(evil)
        (code / "mine.py").write_text("import helper\n" + MINE)
        recipe.write_text(digests(**{"mine.py": "import helper\n" + MINE, "helper.py": evil}))
    elif name == "an optimiser":
        (code / "mine.py").write_text(evil + MINE)
        changed = digests(**{"mine.py": evil + MINE}).replace(
            'name = "adam"', 'name = "mine.py:Mine"'
        )
        recipe.write_text(changed)
    elif name == "an augmentation":
        (code / "mine.py").write_text(evil + MINE)
        changed = digests(**{"mine.py": evil + MINE})
        recipe.write_text(
            changed.replace("[augmentation.own]", '[augmentation.own]\n"mine.py:x" = 1.0')
        )
    elif name in ("an augmentation alone", "a schedule alone"):
        function = "\n\ndef part(*given):\n    return given[0]\n"
        (code / "mine.py").write_text(evil + function)
        changed = digests(**{"mine.py": evil + function})
        changed = changed.replace('family = "mine.py:Mine"', 'family = "plain-cnn"')
        if name == "an augmentation alone":
            changed = changed.replace(
                "[augmentation.own]", '[augmentation.own]\n"mine.py:part" = 1.0'
            )
        else:
            changed = changed.replace('name = "constant"', 'name = "mine.py:part"')
        recipe.write_text(changed)
    elif name == "without provenance":
        (code / "mine.py").unlink()
        (run / "mine.py").write_text(evil + MINE)
        recipe.write_text(text[: text.index("[code]")])
        (run / "provenance.json").unlink()
    elif name == "pickles":
        import pickle

        class Bomb:
            def __reduce__(self) -> tuple[object, ...]:
                return (Path.write_text, (mark, "ran"))

        packed = pickle.dumps(Bomb())
        for part in ("checkpoints/last.json", "evaluation/predictions.npz", "metrics.jsonl"):
            (run / part).parent.mkdir(exist_ok=True)
            (run / part).write_bytes(packed)
        for file in (run / "checkpoints").glob("*.safetensors"):
            file.write_bytes(packed)
    else:
        raise AssertionError(name)


HOSTILE = (
    "code on import",
    "code without a digest",
    "a changed file",
    "out of the folder",
    "a link",
    "called torch",
    "a second file",
    "an optimiser",
    "an augmentation",
    "an augmentation alone",
    "a schedule alone",
    "without provenance",
    "pickles",
)
VERBS = (
    ("evaluate", "{run}"),
    ("evaluate", "{run}", "--stress"),
    ("explain", "{run}"),
    ("report", "{run}", "--full"),
    ("compare", "{run}", "{good}"),
    ("bench", "predict", "{run}", "--batch-size", "1"),
    ("predict", "{run}", "{picture}"),
    ("train", "{run}/recipe.toml", "--out", "{out}"),
    ("train", "{run}/recipe.toml", "--out", "{run}", "--resume"),
    ("train", "{run}/recipe.toml", "--out", "{out}", "--workers", "2", "--seeds", "2"),
    ("tune", "{space}", "--out", "{out}"),
    ("check", "{run}/recipe.toml"),
    ("recipes", "{run}/recipe.toml"),
)
# What its network does not need runs without it.
HARMLESS = {"an augmentation alone", "a schedule alone"}


@pytest.mark.parametrize("name", HOSTILE)
def test_of_a_hostile_run_no_verb_executes_a_byte(
    name: str, mine: Path, tmp_path: Path, words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    good = fc.train(mine, changes={"training.epochs": 1}, out=tmp_path / "runs", device="cpu")
    run, mark, picture = tmp_path / "hostile", tmp_path / "mark", tmp_path / "picture.png"
    Image.new("L", (28, 28)).save(picture)
    shutil.copytree(good.path, run)
    hostile(name, run, mark)
    trust_no_one(monkeypatch, tmp_path)
    space = tmp_path / "space.toml"
    space.write_text(f'name = "s"\nrecipe = "{run}/recipe.toml"\n[space]\ntraining.epochs = [1]\n')
    places = {"run": run, "good": good.path, "picture": picture, "out": tmp_path / "out"}
    places["space"] = space
    for verb in VERBS:
        words = [word.format(**places) for word in verb]
        status, out, said = words_of(*words)
        assert not mark.exists(), words
        assert "Traceback" not in said
        trains = verb[0] in ("train", "tune")
        if verb[0] != "recipes" and (trains or name not in HARMLESS):
            assert status == 2, (words, out, said)


def test_trust_is_of_what_a_recipe_calls_in_the_files(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = f"{MINE}\n\ndef harm(**given):\n    open({str(tmp_path / 'mark')!r}, 'w')\n"
    (tmp_path / "mine.py").write_text(evil)
    run = fc.train(mine, changes={"training.epochs": 1}, out=tmp_path / "runs", device="cpu")
    from fashioncnn.usercode.modules import _LIBRARY

    monkeypatch.setattr(_LIBRARY, "sources", {})
    monkeypatch.setattr(_LIBRARY, "trusted", {})
    fc.load(run).network  # noqa: B018 it is trusted as it was trained
    text = run.recipe_file.read_text()
    for other, error in (("harm", TrustError), ("PlainCNN", TrustError)):
        run.recipe_file.write_text(text.replace("mine.py:Mine", f"mine.py:{other}"))
        with pytest.raises(error):
            fc.load(run).network  # noqa: B018
    assert not (tmp_path / "mark").exists()
    # What a file imports is not its own.
    with pytest.raises(CodeError, match="has no PlainCNN of its own"):
        load(mine, {"model.family": f"{tmp_path}/mine.py:PlainCNN"})


SOUND = {
    "lazy": (
        "self.body = nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10))"
    ),
    "tied": (
        "self.a = nn.Linear(784, 784)\n        self.b = nn.Linear(784, 784)\n"
        "        self.b.weight = self.a.weight\n"
        "        self.body = nn.Sequential(nn.Flatten(), self.a, nn.ReLU(), self.b,"
        " nn.Linear(784, 10))"
    ),
    "a mask": (
        "self.register_buffer('mask', torch.full((3, 3), float('-inf')).triu(1))\n"
        "        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))"
    ),
    "three dimensions": (
        "self.body = nn.Sequential(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 4, (1, 3, 3)),"
        " nn.Flatten(), nn.Linear(4 * 26 * 26, 10))"
    ),
    "listed layers": (
        "self.a = nn.Linear(784, 10)\n        self.order = [self.a]\n"
        "        self.body = nn.Sequential(nn.Flatten(), self.a)"
    ),
    "zero head": (
        "self.head = nn.Linear(784, 10)\n        nn.init.zeros_(self.head.weight)\n"
        "        nn.init.zeros_(self.head.bias)\n"
        "        self.body = nn.Sequential(nn.Flatten(), self.head)"
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_unusual_networks_that_are_sound(name: str, tmp_path: Path, tiny_recipe: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        f"        super().__init__()\n        {SOUND[name]}\n\n    def forward(self, x):\n"
        "        return self.body(x)\n"
    )
    checked = fc.check(f"{tmp_path}/net.py:Net")
    assert [one for found in checked.parts.values() for one in found if one.verdict == "bad"] == []
    changes = {"model.family": f"{tmp_path}/net.py:Net", "training.epochs": 1}
    run = fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")
    assert fc.evaluate(run, device="cpu").accuracy > 0.1
    (findings,) = checked.parts.values()
    (exported,) = (one for one in findings if one.check == "Exports to ONNX")
    assert exported.verdict == "good", exported.told
    again = fc.train(run.recipe_file, out=tmp_path / "again", device="cpu")
    assert weights(again) == weights(run)


UNUSUAL = """
import torch
from torch import nn

print("hello")

class Computed(nn.Module):
    def __init__(self, in_channels, classes):
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(in_channels, 4, 3))
        self.head = nn.Linear(4, classes)
        self.bias = nn.Parameter(torch.arange(classes) / 100)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3))) + self.bias.expand(len(x), -1)

class Spare(Computed):
    def __init__(self, in_channels, classes):
        super().__init__(in_channels, classes)
        self.spare = nn.Linear(4, 3)
"""


@pytest.fixture
def unusual(tmp_path: Path, tiny_recipe: Path) -> Callable[[str], fc.Run]:
    (tmp_path / "unusual.py").write_text(UNUSUAL)

    def trained(name: str) -> fc.Run:
        changes = {"model.family": f"{tmp_path}/unusual.py:{name}", "training.epochs": 1}
        return fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")

    return trained


def test_layers_whose_weights_are_computed(unusual: Callable[[str], fc.Run]) -> None:
    run = unusual("Computed")
    fc.evaluate(run, device="cpu")
    fc.explain(run, device="cpu")
    network = open_trained(run, "best", device="cpu").network
    fresh = randomised(network)
    for name, weights in network.named_parameters():
        assert not torch.equal(fresh.get_parameter(name), weights), name


def test_files_as_windows_writes_them(tmp_path: Path) -> None:
    """A mark in front of code and recipe is none of their text."""
    for name, text in (("mine.py", MINE), ("mine.toml", OWN_RECIPE)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    changes = ["training.epochs=1"]
    run = fc.train(tmp_path / "mine.toml", changes=changes, out=tmp_path / "runs", device="cpu")
    assert (run.code / "mine.py").read_text() == MINE


def test_a_layer_made_last_that_is_not_used_is_named(unusual: Callable[[str], fc.Run]) -> None:
    run = unusual("Spare")
    for verb in (fc.export, functools.partial(fc.report, full=True)):
        with pytest.raises(CodeError, match="made last, is not used: say by a method parts"):
            verb(run)


def test_what_ones_own_code_prints_is_no_part_of_the_answer(
    tmp_path: Path, cli: Cli, tiny_npz: Path
) -> None:
    (tmp_path / "unusual.py").write_text(UNUSUAL)
    done = cli("check", f"{tmp_path}/unusual.py:Computed", "--data", tiny_npz, "--json")
    assert json.loads(done.stdout)["parts"]
    assert "hello" in done.stderr


def test_a_network_that_fails_in_evaluation_has_diverged(tmp_path: Path, tiny_recipe: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n\n"
        "    def forward(self, x):\n"
        "        x = self.body(x)\n"
        "        return x if self.training else x * float('nan')\n"
    )
    changes = {"model.family": f"{tmp_path}/net.py:Net", "training.epochs": 1}
    with pytest.raises(Diverged, match=r"the validation loss is not finite \(epoch 1\)"):
        fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")


def test_members_of_an_ensemble_stand_below_each_other() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 10, 3), torch.randint(10, (5, 3))
    shapes: list[torch.Size] = []

    def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        shapes.append(logits.shape)
        return functional.cross_entropy(logits, labels)

    expected = functional.cross_entropy(logits, labels)
    torch.testing.assert_close(OwnLoss(cross_entropy, "mine")(logits, labels), expected)
    OwnLoss(cross_entropy, "mine")(logits[..., 0], labels[:, 0])
    assert shapes == [(15, 10), (5, 10)]


MISTAKES = {
    "a detached loss": (
        "loss.name",
        "def Part(logits, labels):\n    return (logits * 0).detach().sum()",
    ),
    "a loss of one argument": ("loss.name", "def Part(logits):\n    return logits.sum()"),
    "all frozen": (
        "model.family",
        "class Part(Net):\n    def __init__(self):\n        super().__init__()\n"
        "        self.requires_grad_(False)",
    ),
    "no weights": (
        "model.family",
        "class Part(nn.Module):\n    def forward(self, x):\n        return x.flatten(1)[:, :10]",
    ),
    "two answers in training": (
        "model.family",
        "class Part(Net):\n    def forward(self, x):\n        y = super().forward(x)\n"
        "        return (y, y) if self.training else y",
    ),
    "labels wanted": (
        "model.family",
        "class Part(Net):\n    def forward(self, x, labels):\n        return super().forward(x)",
    ),
    "a schedule without an argument": ("schedule.name", "def Part():\n    return 1.0"),
    "an augmentation of two arguments": (
        "augmentation.own",
        "def Part(images, uniforms):\n    return images",
    ),
    "an optimiser that wants a closure": (
        "optimizer.name",
        "class Part(torch.optim.SGD):\n    def step(self, closure):\n        closure()",
    ),
    "an optimiser without a rate": (
        "optimizer.name",
        "class Part(torch.optim.Optimizer):\n    def __init__(self, params, lr):\n"
        "        super().__init__(params, {'rate': lr})\n"
        "    def step(self, closure=None):\n        pass",
    ),
    "the end of the program": ("model.family", "import sys\nsys.exit(0)\nclass Part(Net): pass"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_before_anything_is_written(
    name: str, tmp_path: Path, tiny_recipe: Path, words_of: Words
) -> None:
    key, text = MISTAKES[name]
    (tmp_path / "part.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.layer = nn.Linear(784, 10)\n\n"
        f"    def forward(self, x):\n        return self.layer(x.flatten(1))\n\n{text}\n"
    )
    address = f"{tmp_path}/part.py:Part"
    change = f'augmentation.own."{address}"=0.5' if "own" in key else f"{key}={address}"
    out = tmp_path / "runs"
    status, _, said = words_of("train", tiny_recipe, "--set", change, "--out", out)
    assert (status, "Traceback" in said) == (2, False), said
    assert "part.py" in said
    assert not out.exists()


def test_the_hostile_run_does_run_once_it_is_trusted(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fc.train(mine, changes={"training.epochs": 1}, out=tmp_path / "runs", device="cpu")
    hostile("code on import", run.path, tmp_path / "mark")
    trust_no_one(monkeypatch, tmp_path)
    assert fc.trust(run) == [run]
    assert not (tmp_path / "mark").exists()
    fc.load(run).network  # noqa: B018
    assert (tmp_path / "mark").exists()


def test_options_and_json_of_new_and_check(
    tmp_path: Path, words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = words_of("new", "mine.py", "--json")
    assert (status, json.loads(out)) == (0, {"code": "mine.py", "recipe": "mine.toml"})
    status, out, _ = words_of("check", "mine.py", "--json")
    told = json.loads(out)
    assert (status, told["verdict"]) == (0, "good")
    assert told["facts"]["parameters"] == 50_186
    status, out, _ = words_of("check", "mine.py", "--set", "model.width=0")
    assert status == 2
    assert " BAD  Is made" in out
    status, out, _ = words_of("new", "mine.py")
    assert status == 2


def test_run_without_provenance_of_code_and_unknown_runs(tmp_path: Path) -> None:
    assert fc.trust(tmp_path) == []
    with pytest.raises(RunError):
        fc.load(tmp_path)


LOST = {
    "layers in a list": (
        "self.layers = [nn.Conv2d(in_channels, 3, 3)]",
        "self.layers[0](images)",
        "mine.py:Net: layers is a plain list of layers, which would neither learn nor be saved; "
        "make it an nn.ModuleList",
    ),
    "a tensor": (
        "self.scale = torch.ones(3, 1, 1, requires_grad=True)",
        "images.repeat(1, 3, 1, 1) * self.scale",
        "scale is a tensor with a gradient, and no nn.Parameter",
    ),
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.usefixtures("tiny_data")
def test_what_would_learn_in_vain_is_said_before_training(name: str, tmp_path: Path) -> None:
    made, answered, words = LOST[name]
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self, in_channels, classes):\n"
        f"        super().__init__()\n        {made}\n        self.out = nn.Linear(3, classes)\n\n"
        f"    def forward(self, images):\n        return self.out(({answered}).mean((2, 3)))\n"
    )
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\n[model]\nfamily = "mine.py:Net"\n')
    with pytest.raises(CodeError, match=re.escape(words)):
        fc.train(recipe, out=tmp_path / "runs", device="cpu")


LOSS = """
import torch
from torch import nn


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        {}

    def forward(self, logits, labels):
        return nn.functional.cross_entropy(logits * self.scale.exp(), labels)
"""


@pytest.mark.usefixtures("tiny_data")
def test_what_a_loss_of_ones_own_keeps_is_told(
    tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tiny_recipe.with_name("loss.py")
    changes = {"loss.name": f"{file}:Loss", "training.epochs": 1}
    file.write_text(LOSS.format("self.scale = nn.Parameter(torch.zeros(()))"))
    with pytest.raises(CodeError, match="has weights of its own, which the optimiser is not given"):
        fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")
    file.write_text(LOSS.format("self.register_buffer('scale', torch.zeros(()))"))
    fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")
    assert "keeps buffers, which are not saved" in capsys.readouterr().err


@pytest.mark.usefixtures("tiny_data")
def test_an_optimiser_that_needs_a_closure_is_told(tiny_recipe: Path, tmp_path: Path) -> None:
    file = tiny_recipe.with_name("closure.py")
    file.write_text(
        "import torch\n\n\nclass Closing(torch.optim.LBFGS):\n"
        "    def __init__(self, params, lr=0.1, weight_decay=0.0):\n"
        "        super().__init__(params, lr=lr)\n"
    )
    changes = {"optimizer.name": f"{file}:Closing"}
    with pytest.raises(CodeError, match=r"closure.py:Closing: its step\(\) asks for an argument"):
        fc.train(tiny_recipe, changes=changes, out=tmp_path / "runs", device="cpu")


@pytest.mark.usefixtures("tiny_data")
def test_a_network_that_is_not_told_the_classes_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\n\ndef net(**others):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 3))\n"
    )
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\n[model]\nfamily = "mine.py:net"\n')
    with pytest.raises(CodeError, match=r"one for each class; it takes no argument `classes`"):
        fc.train(recipe, out=tmp_path / "runs", device="cpu")
