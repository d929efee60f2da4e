"""Documents that run: every command and block of Python, every link, every tutorial."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from conftest import make_pictures, use_tiny_data
from fashioncnn.cli import verbs
from fashioncnn.data.augmentations import AUGMENTATIONS
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.recipes.schema import CHOICES
from fashioncnn.registry import Registry

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)
# Here, what takes hours elsewhere takes seconds.
SHORTER = {
    "--seeds 5": "--seeds 2",
    "--seeds 3": "--trials 1",
    "train two-conv ": "train two-conv --set model.channels=[4,8] ",
    "--trials 50": "--trials 2",
    "mine.toml --resume": "mine.toml --resume --trials 3",
    "bench predict runs/fast-93/*": "bench predict runs/fast-93/* --batch-size 1",
    "bench predict shirt-teller": "bench predict shirt-teller --batch-size 1",
}
RUN_WITH_DOCUMENTS = ("sh", "python")

Words = Callable[..., tuple[int, str, str]]


def blocks(document: Path) -> list[tuple[str, str]]:
    return [(one.group(1), one.group(2)) for one in BLOCK.finditer(document.read_text())]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command of fashioncnn in a block for the shell."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;", line):
            words = shlex.split(part.replace("…", "x"), comments=True)
            if "fashioncnn" in words:
                yield words[words.index("fashioncnn") + 1 :]


def expanded(word: str) -> list[str]:
    return sorted(map(str, Path().glob(word))) or [word] if "*" in word else [word]


@pytest.fixture(scope="module")
def few_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fewer than other tests have: documents train often."""
    path = tmp_path_factory.mktemp("few") / "few.npz"
    write_npz(path, {"train": make_pictures(240, 0), "test": make_pictures(100, 1)})
    return path


@pytest.fixture
def empty_folder(tmp_path: Path, few_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what documents speak of: a photograph, a folder of them, own pictures."""
    use_tiny_data(monkeypatch, few_pictures)
    folder = tmp_path / "empty"
    random = np.random.default_rng(0)
    for path in ("photos", "my-pictures/cat", "my-pictures/dog"):
        (folder / path).mkdir(parents=True)
        for number in range(16):
            pixels = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / path / f"{number}.jpg")
    Image.fromarray(random.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(folder / "shirt.jpg")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture(autouse=True)
def own_registries() -> Iterator[None]:
    """Take out what documents register."""
    registries: list[Registry[Any]] = [AUGMENTATIONS, *CHOICES.values()]
    before = [set(one) for one in registries]
    yield
    for registry, names in zip(registries, before, strict=True):
        for name in set(registry) - names:
            registry.unregister(name)


WITH_CODE = [one for one in DOCUMENTS if {kind for kind, _ in blocks(one)} & {*RUN_WITH_DOCUMENTS}]


@pytest.mark.parametrize(
    "document", [one for one in WITH_CODE if one.name != "python.md"], ids=name_of
)
def test_every_command_and_block_runs_in_order(
    document: Path, empty_folder: Path, words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, object] = {"__name__": "document"}
    for kind, text in blocks(document):
        if kind == "toml" and "[space]" in text:
            (empty_folder / "mine.toml").write_text(text)
        elif kind == "python":
            exec(compile(text, document.name, "exec", dont_inherit=True), names)
        elif kind == "sh":
            for old, new in SHORTER.items():
                text = text.replace(old, new)
            for words in commands(text):
                found = [
                    one for word in words for one in sorted(map(str, Path().glob(word))) or [word]
                ]
                with monkeypatch.context() as patch:
                    if words[:2] == ["data", "fetch"]:
                        # It is Fashion-MNIST that is fetched, not what a variable names.
                        patch.delenv("FASHIONCNN_DATA")
                    status, _, said = words_of(*found)
                assert status == 0, (words, said)


def test_the_commands_that_need_a_cluster_have_options_that_exist() -> None:
    for document in DOCUMENTS:
        for kind, text in blocks(document):
            for words in commands(text) if kind == "bash" else ():
                command, rest = typer.main.get_command(verbs.app), words
                while hasattr(command, "commands"):
                    command, rest = command.commands[rest[0]], rest[1:]
                command.make_context("fashioncnn", list(rest), resilient_parsing=False)


LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
HEADING = re.compile(r"^#+ +(.*)$", re.M)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(document.read_text()):
        words = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
        found.add(words.strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = BLOCK.sub("", document.read_text())
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_in_the_site() -> None:
    """Each document below docs/ is named by a toctree."""
    named = set()
    for document in DOCS.rglob("*.md"):
        for body in re.findall(r"```\{toctree\}\n(.*?)```", document.read_text(), re.S):
            for line in body.split():
                if not line.startswith(":"):
                    named.add((document.parent / line).resolve())
    pages = [*DOCS.rglob("*.md"), *DOCS.glob("tutorials/*.py"), *DOCS.glob("exercises/*.py")]
    missing = {page for page in pages if page.with_suffix("").resolve() not in named}
    assert missing == {DOCS / "index.md"}


NOTEBOOKS = sorted([*DOCS.glob("tutorials/*.py"), *DOCS.glob("exercises/*.py")])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_tutorials_and_solutions_run(
    path: Path, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.stem == "own_photographs":
        # The nearest training pictures are Fashion-MNIST's own.
        monkeypatch.delenv("FASHIONCNN_DATA")
    runpy.run_path(str(path))


def test_notebooks_are_those_that_jupyter_reads(tmp_path: Path) -> None:
    import json

    sys.path.insert(0, str(DOCS))
    try:
        notebooks = importlib.import_module("notebooks")
    finally:
        sys.path.remove(str(DOCS))
    (tmp_path / "tutorials").mkdir()
    text = (DOCS / "tutorials" / "first_network.py").read_text()
    (tmp_path / "tutorials" / "first_network.py").write_text(text)
    notebooks.write_all(tmp_path)
    told = json.loads((tmp_path / "_static/notebooks/first_network.ipynb").read_text())
    assert told["metadata"]["kernelspec"]["name"] == "python3"
    assert [cell["cell_type"] for cell in told["cells"]][:2] == ["markdown", "code"]


def test_the_reference_is_what_the_code_says() -> None:
    command = [sys.executable, "tools/documents.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.alone
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q"]
    command += ["-D", "nb_execution_mode=off", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "own_network" in (tmp_path / "searchindex.js").read_text()
    assert (tmp_path / "tutorials" / "own_network.html").is_file()
