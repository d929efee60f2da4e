"""The package as others install it: whole, declared, and working without the checkout."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from PIL import Image

from fashioncnn.data.dataset import DataSet

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = """
name = "few-steps"
[data]
image_size = 8
validation_images = 59000
[model]
channels = [4]
hidden_features = []
[training]
epochs = 1
batch_size = 500
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"]]
    listed += [one for name, extra in extras.items() if name != "dev" for one in extra]
    return {canonical(re.split(r"[^A-Za-z0-9._-]", one)[0]) for one in listed} - {"fashioncnn"}


def imported() -> set[str]:
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"fashioncnn"}


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    for module in imported():
        assert {canonical(one) for one in owners[module]} & declared(), module


def test_constraints_pin_everything_that_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {canonical(line.partition("==")[0]) for line in lines}
    assert declared() <= pinned
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!_-]+", line) for line in lines)


@pytest.mark.real_data
def test_the_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,), (_,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    empty = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(empty)], check=True)
    # What the package needs is lent; the package itself, which is there by its own link, is not.
    (site,) = empty.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(empty / "bin" / "python")
    install = ["-m", "pip", "--python", python, "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, *install], check=True)
    recipe = tmp_path / "few-steps.toml"
    recipe.write_text(RECIPE)

    def run(*words: object) -> str:
        program = str(empty / "bin" / "fashioncnn")
        environment = {name: one for name, one in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, cwd=tmp_path,
            env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "fast-93" in run("recipes")
    where = [python, "-c", "import fashioncnn; print(fashioncnn.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert str(site) in found
    run("train", recipe, "--report", "--device", "cpu")
    (page,) = tmp_path.glob("runs/few-steps/*/report.html")
    assert "few-steps on Fashion-MNIST" in page.read_text()
    # A network comes along.
    image = DataSet().test.images_NHWC[1, :, :, 0]
    Image.fromarray(image).save(tmp_path / "pullover.png")
    assert "pullover.png: Pullover" in run("predict", "pullover.png")
