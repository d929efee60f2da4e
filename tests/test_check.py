"""check: sound networks pass, and of broken ones it names the cause and the remedy."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.checking.finding import Finding
from fashioncnn.errors import FashionCNNError
from fashioncnn.workflows.check import PARTS, Checked, Part

NETWORKS = Path(__file__).parent / "networks"
HEAD = "import random\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n"

pytestmark = pytest.mark.usefixtures("tiny_data")


def bad(checked: Checked) -> list[Finding]:
    return [one for found in checked.parts.values() for one in found if one.verdict == "bad"]


@pytest.mark.parametrize("name", ["lenet", "se_resnet", "depthwise", "vit", "mixer"])
def test_networks_as_students_write_them_are_sound(name: str) -> None:
    checked = fc.check(NETWORKS / f"{name}.py")
    assert bad(checked) == []
    assert checked.facts is not None
    assert checked.facts.parameters > 5000
    assert checked.facts.macs > 100_000
    assert checked.ladder[0].recipe == "micro"


NET = """
class Net(nn.Module):
    def __init__(self, width=8, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width * 196, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.head(x.flatten(1))
"""

# What is broken: what is put in place of what, a word of the cause, a word of the remedy, the line.
BROKEN = {
    "wrong output width": (
        ("nn.Linear(width * 196, classes)", "nn.Linear(width * 196, 7)"),
        "answers (2, 7) for 2 pictures",
        "it must be logits (2, 10)",
        None,
    ),
    "softmax inside": (
        ("return self.head(x.flatten(1))", "return F.softmax(self.head(x.flatten(1)), 1)"),
        "a softmax at net.py:15",
        "return what the last layer gives",
        15,
    ),
    "layers in a list": (
        (
            "self.norm = nn.BatchNorm2d(width)",
            "self.norm = nn.BatchNorm2d(width)\n        self.more = [nn.Conv2d(width, width, 1)]",
        ),
        "more (net.py:11) is a plain list",
        "nn.ModuleList",
        11,
    ),
    "in place on the input": (
        ("        x = F.max_pool2d", "        x -= 0.5\n        x = F.max_pool2d"),
        "changes them in place at net.py:14",
        "work on a copy",
        14,
    ),
    "batch norm without statistics": (
        ("nn.BatchNorm2d(width)", "nn.BatchNorm2d(width, track_running_stats=False)"),
        "they do in evaluation",
        "track_running_stats",
        None,
    ),
    "random in evaluation": (
        ("x.flatten(1))", "F.dropout(x.flatten(1), 0.5))"),
        "draws random numbers there, too at net.py:15",
        "self.training",
        15,
    ),
    "an unused layer": (
        (
            "self.norm = nn.BatchNorm2d(width)",
            "self.norm = nn.BatchNorm2d(width)\n        self.spare = nn.Linear(5, 5)",
        ),
        "not spare (net.py:11)",
        "use it or leave it out",
        11,
    ),
    "NaN": (
        (
            "        return self.head",
            "        x = torch.log(x - x)/ (x - x)\n        return self.head",
        ),
        "NaN or infinity begins at net.py:15",
        "log(0)",
        15,
    ),
    "GPU alone": (
        ("F.relu(self.norm(self.conv(x)))", "F.relu(self.norm(self.conv(x.cuda())))"),
        "net.py:14 in forward",
        "no .cuda()",
        14,
    ),
    "wrong keyword": (
        ("nn.Conv2d(1, width, 3, padding=1)", "nn.Conv2d(1, width, 3, paddign=1)"),
        "net.py:9 in __init__",
        "it takes no paddign",
        9,
    ),
    "no Python": (
        ("def forward(self, x):", "def forward(self, x)"),
        "net.py:13: expected ':'",
        "",
        13,
    ),
    "missing import": (
        ("class Net", "import timm_extras\n\n\nclass Net"),
        "No module named 'timm_extras'",
        "install timm_extras, or put timm_extras.py beside your file",
        6,
    ),
    "state outside": (
        (
            "        x = F.max",
            "        self.seen = getattr(self, 'seen', 0) + 1\n"
            "        x = x * self.seen\n        x = F.max",
        ),
        "self.seen (net.py:14) changes as it answers",
        "register_buffer",
        14,
    ),
    "random from elsewhere": (
        (
            "        self.head = nn.Linear(width * 196, classes)",
            "        self.head = nn.Linear(width * 196, classes)\n"
            "        self.head.weight.data *= random.random()",
        ),
        "comes out otherwise the second time",
        "draw random numbers from torch alone",
        None,
    ),
    "a seed of its own": (
        ("        super().__init__()", "        super().__init__()\n        torch.manual_seed(0)"),
        "two seeds give the same weights",
        "take torch.manual_seed() out",
        None,
    ),
    "a ReLU at the end": (
        ("return self.head(x.flatten(1))", "return F.relu(self.head(x.flatten(1)))"),
        "a ReLU after the last layer",
        "return what the last layer gives",
        None,
    ),
    "a sigmoid at the end": (
        ("return self.head(x.flatten(1))", "return torch.sigmoid(self.head(x.flatten(1)))"),
        "as after a sigmoid",
        "return what the last layer gives",
        None,
    ),
    "two answers in training": (
        (
            "return self.head(x.flatten(1))",
            "y = self.head(x.flatten(1))\n        return (y, y) if self.training else y",
        ),
        "answers a tuple in training",
        "return the logits alone",
        None,
    ),
    "reshaped batch": (
        ("x.flatten(1)", "x.reshape(2, -1)"),
        "net.py:15 in forward",
        "was made for",
        15,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_of_a_broken_network_cause_and_remedy_are_named(name: str, tmp_path: Path) -> None:
    (old, new), cause, remedy, line = BROKEN[name]
    text = HEAD + NET.lstrip()
    assert old in text
    (tmp_path / "net.py").write_text(text.replace(old, new))
    if line:
        assert text.replace(old, new).splitlines()[line - 1].strip()
    checked = fc.check(tmp_path / "net.py")
    found = bad(checked)
    assert found, checked
    told = "\n".join(f"{one.told} {one.remedy}" for one in found)
    assert cause in told
    assert remedy in told
    assert "src/fashioncnn" not in told


def test_the_sound_network_that_the_broken_ones_are_made_of_passes(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD + NET.lstrip())
    assert bad(fc.check(tmp_path / "net.py")) == []


def test_a_keyword_of_the_recipe_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD + NET.lstrip())
    (found,) = bad(fc.check(f"{tmp_path}/net.py:Net", changes={"model.widht": 3}))
    assert "Net takes no widht; did you mean width?" in found.told


def test_a_batch_of_one_picture_is_a_note_and_no_fault(tmp_path: Path) -> None:
    text = HEAD + NET.lstrip().replace(
        "self.head(x.flatten(1))", "self.head(self.last(x.flatten(1)))"
    )
    text = text.replace(
        "self.head = nn", "self.last = nn.BatchNorm1d(width * 196)\n        self.head = nn"
    )
    (tmp_path / "net.py").write_text(text)
    checked = fc.check(tmp_path / "net.py")
    (notes,) = [one for found in checked.parts.values() for one in found if one.verdict == "note"]
    assert "batch norm cannot" in notes.told
    assert checked.verdict == "note"


@pytest.mark.parametrize("what", PARTS)
def test_what_new_writes_is_sound_and_trains(
    what: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, recipe = fc.new(f"my_{what}.py", what=what)
    assert (code.name, recipe.name) == (f"my_{what}.py", f"my_{what}.toml")
    checked = fc.check(code)
    assert bad(checked) == []
    assert next(iter(checked.parts)).startswith(f"my_{what}.py:")
    changes = {"training.epochs": 2, "data.validation_images": 100}
    run = fc.train(recipe, changes=changes, out=tmp_path / "runs", device="cpu")
    assert len(run.metrics) == 2
    assert (run.path / "code" / code.name).read_text() == code.read_text()
    with pytest.raises(FashionCNNError, match="is there already"):
        fc.new(f"my_{what}.py", what=what)


FAULTY: dict[str, tuple[Part, str, str]] = {
    "an optimiser that counts in itself": (
        "optimizer",
        """
        class Part(torch.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})
                self.count = 0
            @torch.no_grad()
            def step(self, closure=None):
                self.count += 1
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(group["lr"] / self.count * p.grad)
        """,
        "keep tensors and numbers in self.state",
    ),
    "an optimiser with a rate of its own": (
        "optimizer",
        """
        class Part(torch.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})
            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(0.01 * p.grad)
        """,
        "read group['lr'] at every step",
    ),
    "a schedule that counts": (
        "schedule",
        """
        class Part:
            def __init__(self):
                self.calls = 0
            def __call__(self, share):
                self.calls += 1
                return 1 / self.calls
        """,
        "keep nothing from call to call",
    ),
    "a schedule below zero": (
        "schedule",
        """
        def Part(share):
            return 0.5 - share
        """,
        "it must be a number of 0 or more",
    ),
    "a summed loss": (
        "loss",
        """
        def Part(logits, labels):
            return F.cross_entropy(logits, labels, reduction="sum")
        """,
        "take the mean, not the sum",
    ),
    "a loss the wrong way round": (
        "loss",
        """
        def Part(logits, labels):
            return -F.cross_entropy(logits, labels)
        """,
        "logits come first",
    ),
    "a loss that is many numbers": (
        "loss",
        """
        def Part(logits, labels):
            return F.cross_entropy(logits, labels, reduction="none")
        """,
        "take the mean",
    ),
    "an augmentation in place": (
        "augmentation",
        """
        def Part(images, uniforms, strength):
            images[:, :, :4] = 0
            return images
        """,
        "work on images.clone()",
    ),
    "an augmentation that draws by itself": (
        "augmentation",
        """
        def Part(images, uniforms, strength):
            noise = torch.rand(images.shape) * strength[:, None, None, None]
            return (images * (1 - noise)).to(torch.uint8)
        """,
        "take them from uniforms",
    ),
    "an augmentation that returns floats": (
        "augmentation",
        """
        def Part(images, uniforms, strength):
            return images.float() * (1 - strength[:, None, None, None])
        """,
        "it must return pictures as it got them",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_of_another_faulty_part_the_remedy_is_named(name: str, tmp_path: Path) -> None:
    what, text, remedy = FAULTY[name]
    (tmp_path / "part.py").write_text(HEAD + textwrap.dedent(text))
    found = bad(fc.check(f"{tmp_path}/part.py:Part", what=what))
    assert any(remedy in f"{one.told} {one.remedy}" for one in found), found


def test_a_minute_of_training_places_it_on_the_ladder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fashioncnn.workflows import check

    monkeypatch.setattr(check, "TRAINING_SECONDS", 0.5)
    (tmp_path / "net.py").write_text(HEAD + NET.lstrip())
    changes = {"data.validation_images": 100}
    checked = fc.check(
        f"{tmp_path}/net.py:Net", changes=changes, train_minute=True, out=tmp_path / "runs"
    )
    assert checked.trained is not None
    assert checked.accuracy == max(one["val/accuracy"] for one in checked.trained.metrics)


def test_what_is_nothing_at_all_is_said(tmp_path: Path) -> None:
    for target in ("nothing.py", "nothing.toml", "nothing"):
        with pytest.raises(FashionCNNError, match=r"no such file|neither a file"):
            fc.check(tmp_path / target)
    (tmp_path / "two.py").write_text(HEAD + NET.lstrip() + NET.replace("Net(", "Other("))
    (found,) = bad(fc.check(tmp_path / "two.py"))
    assert "say which" in found.told


@pytest.mark.usefixtures("tiny_data")
def test_a_minute_of_training_takes_the_validation_pictures_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fashioncnn.workflows import check

    monkeypatch.setattr(check, "TRAINING_SECONDS", 0.2)
    (tmp_path / "net.py").write_text(HEAD + NET.lstrip())
    few = make_pictures(200)
    data = fc.DataSet.of(few, few.take(np.arange(20)), few.take(np.arange(50)))
    checked = fc.check(
        f"{tmp_path}/net.py:Net", data=data, train_minute=True, out=tmp_path / "runs"
    )
    assert checked.trained is not None
    assert checked.trained.metrics[0]["val/accuracy"] is not None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fc.explore([]), "explore: no run was given"),
        (lambda: fc.bench_speed([]), "bench speed: no recipe was given"),
        (lambda: fc.serve("tiny", port=-1), "port is -1; it must be 0 to 65,535"),
        (lambda: fc.serve("tiny", host=""), "host is empty"),
        (lambda: fc.trust("nope"), "nope: no such run directory"),
        (lambda: fc.open_runs("nope"), "nope: no such run directory"),
        (lambda: fc.load_recipe("two-conv", "training.epochs=0"), "training.epochs is 0"),
        (lambda: fc.evaluate("tiny", split="validation"), "a bundle is scored on test"),
    ],
)
def test_what_python_is_given_wrong_is_said(call: Callable[[], object], words: str) -> None:
    with pytest.raises(FashionCNNError, match=re.escape(words)):
        call()
