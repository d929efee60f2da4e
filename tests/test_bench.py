"""The verbs that measure, through the command line."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fashioncnn as fc
from conftest import Cli
from fashioncnn.benchmarking.commands import run
from fashioncnn.benchmarking.cost import training_flops_an_image
from fashioncnn.benchmarking.machine import Machine, matrix_peak
from fashioncnn.benchmarking.ways import ratios
from fashioncnn.cli import bench_tables
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import BenchmarkError
from fashioncnn.recipes.load import load
from fashioncnn.workflows.bench_speed import bench_speed

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
seed = parser.parse_args().seed
print(json.dumps({"metrics": {"train/seconds": 100.0 + seed, "test/accuracy": 0.5}}))
"""


def test_machine(cli: Cli) -> None:
    done = cli("bench", "machine", "--device", "cpu", "--json")
    measured = json.loads(done.stdout)
    assert measured["threads"] == torch.get_num_threads()
    # No processor multiplies matrices slower than 1 GFLOP/s or copies slower than 0.1 GB/s.
    assert 1 < measured["fp32_gflops"] < 1e6
    assert 0.1 < measured["memory_gb_per_second"] < 1e5
    assert "GFLOP/s" in bench_tables.machine(Machine(**measured))


def test_matrix_peak_is_of_the_precision_asked_for() -> None:
    cpu = torch.device("cpu")
    assert matrix_peak(cpu, "fp32") > 1
    assert matrix_peak(cpu, "bf16") > 1


def test_flops_by_hand() -> None:
    """Forward counts two a multiplication; backward the same for weights and for inputs."""
    network = ["model.channels=[8, 16]", "model.blocks=[1, 0]", "model.stem_kernel_size=3"]
    recipe = load(ROOT / "benchmarks" / "previous" / "fast-93.toml", network)

    def stem(side: int) -> int:
        return 2 * 8 * 9 * side * side

    def rest_of_first_stage(side: int) -> int:
        return 2 * 8 * 8 * 9 * side * side

    def second_stage(side: int) -> int:
        return 2 * 8 * 16 * 9 * ((side + 1) // 2) ** 2 + 2 * 16 * 10

    # The pictures need no gradient.
    whole = 2 * stem(14) + 3 * (rest_of_first_stage(14) + second_stage(14))
    assert training_flops_an_image(recipe) == whole

    # Of ten epochs, five on a fifth of the pictures: two small, three whole, then one stage rests.
    staged = load(
        recipe,
        [
            "training.epochs=10",
            "selection={full_epochs=5, kept_share=0.2}",
            "progressive_resizing={image_scales=[0.5], epoch_shares=[0.2]}",
            "freezing.after_share=0.5",
        ],
    )
    small = 2 * stem(7) + 3 * (rest_of_first_stage(7) + second_stage(7))
    frozen = stem(14) + rest_of_first_stage(14) + 2 * 2 * 8 * 16 * 9 * 7 * 7 + 3 * 2 * 16 * 10
    assert training_flops_an_image(staged) == (2 * small + 3 * whole + frozen) // 6


def test_flops_of_convolutions_in_groups_by_hand() -> None:
    recipe = load("micro", ["model.channels=[8, 16]", "model.blocks=[1, 1]"])
    stem = 2 * 8 * 9 * 28 * 28
    first = 2 * (8 * 9 + 8 * 8) * 28 * 28
    second = 2 * (8 * 9 + 8 * 16) * 14 * 14
    assert training_flops_an_image(recipe) == 2 * stem + 3 * (first + second + 2 * 16 * 10)


@pytest.mark.usefixtures("tiny_data")
def test_speed_of_a_recipe_that_is_fitted_to_its_data(tiny_recipe: Path, tmp_path: Path) -> None:
    """Size and classes are the data's, and so is the arithmetic that is counted."""
    digits = LabelledImages(
        np.zeros((60, 8, 8, 1), np.uint8), np.arange(60) % 3, ("one", "two", "three")
    )
    write_npz(tmp_path / "few.npz", {"train": digits, "test": digits})
    text = tiny_recipe.read_text().replace("[data]", '[data]\nimage_size = "data"')
    tiny_recipe.write_text(text.replace("epochs = 3", "epochs = 1"))
    files = bench_speed(
        [str(tiny_recipe)], seeds=1, data=tmp_path / "few.npz", device="cpu", out=tmp_path / "out"
    )
    (facts,) = (json.loads(file.read_text()) for file in files.values())
    fitted = load(tiny_recipe, {"data.image_size": 8})
    assert facts["training_flops_an_image"] == training_flops_an_image(fitted, 3, digits.shape)


def test_predict(tiny_recipe: Path, tmp_path: Path, cli: Cli) -> None:
    trained = fc.train(tiny_recipe, out=tmp_path / "runs", device="cpu")
    done = cli(
        *("bench", "predict", trained.path, "--device", "cpu", "--json"),
        *("--batch-size", "1", "--batch-size", "16"),
    )
    one, many = json.loads(done.stdout)["batches"]
    assert (one["batch_size"], many["batch_size"]) == (1, 16)
    for batch in (one, many):
        assert 0 < batch["p50_milliseconds"] <= batch["p99_milliseconds"]
        assert batch["calls"] >= 20
    assert many["images_per_second"] > one["images_per_second"]


@pytest.mark.usefixtures("tiny_data")
def test_speed_alternates_with_a_peer_and_goes_on(
    tiny_recipe: Path, tmp_path: Path, cli: Cli
) -> None:
    tiny_recipe.write_text(tiny_recipe.read_text().replace("epochs = 3", "epochs = 1"))
    peers = tmp_path / "peers"
    peers.mkdir()
    (peers / "slow.py").write_text(PEER)
    (peers / "requirements.txt").write_text("")
    words = [*("bench", "speed", tiny_recipe, "--against", "slow", "--peers", peers)]
    words += ["--out", tmp_path / "results", "--device", "cpu", "--resume", "--json"]
    cli(*words, "--seeds", "1")
    done = cli(*words, "--seeds", "2")
    assert done.stderr.count("test accuracy") == 2
    tiny, slow = (json.loads(done.stdout)["results"][name] for name in ("tiny", "slow"))
    assert tiny["n"] == slow["n"] == 2
    assert slow["metrics"]["train/seconds"]["values"] == [100, 101]
    metrics = tiny["metrics"]
    seconds = metrics["train/seconds"]["values"]
    assert tiny["ratios"]["slow"]["values"] == pytest.approx([100 / seconds[0], 101 / seconds[1]])
    for index in range(2):
        rate = metrics["train/images_per_second"]["values"][index]
        assert rate * seconds[index] == pytest.approx(500)
        assert 0 < metrics["train/warm_up_seconds"]["values"][index] < seconds[index]
        assert seconds[index] < metrics["run/seconds"]["values"][index]
        assert 0 < metrics["train/peak_share"]["values"][index] < 1
        assert 100 < metrics["train/peak_memory_mib"]["values"][index] < 10_000
    assert json.loads((tmp_path / "results" / "tiny.json").read_text()) == tiny

    alone = [*("bench", "speed", tiny_recipe, "--seeds", "1", "--device", "cpu", "--json")]
    done = cli(*alone, "--warm", "--out", tmp_path / "warm")
    warm = json.loads(done.stdout)["results"]["tiny"]
    assert warm["metrics"]["test/accuracy"]["values"] == metrics["test/accuracy"]["values"][:1]
    assert 0 < warm["metrics"]["run/seconds"]["mean"] < metrics["run/seconds"]["mean"]

    tiny_recipe.write_text(tiny_recipe.read_text().replace("dropout = 0.3", "dropout = 0.4"))
    done = cli(*words, "--seeds", "3")
    assert done.returncode == 2
    assert "was measured with other settings of tiny" in done.stderr


def test_ratios_are_taken_seed_by_seed() -> None:
    slow: list[Any] = [{"train/seconds": value} for value in (10.0, 30.0)]
    fast: list[Any] = [{"train/seconds": value} for value in (5.0, 10.0, 1.0)]
    assert ratios(slow, fast) == {"of": "train/seconds", "median": 2.5, "values": [2.0, 3.0]}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("raise SystemExit('no such thing')", "exit status 1: no such thing"),
        ("print('words')", "printed no JSON object"),
    ],
)
def test_a_failing_command_is_named(script: str, words: str) -> None:
    with pytest.raises(BenchmarkError, match=words):
        run([sys.executable, "-c", script])


@pytest.mark.parametrize("content", ['{"n": 1}', "[]", "half a fi"])
def test_going_on_over_no_result_is_one_line(
    content: str, words_of: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "fast-92.json").write_text(content)
    words = ["bench", "speed", "fast-92", "--out", tmp_path, "--resume", "--device", "cpu"]
    status, _, err = words_of(*words)
    assert status == 2
    assert err.startswith(f"error: {tmp_path / 'fast-92.json'}")
    assert err.count("\n") == 1
    assert (tmp_path / "fast-92.json").read_text() == content


def test_an_environment_that_cannot_be_made_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(PEER)
    (tmp_path / "requirements.txt").write_text("no-such-package-as-this==0\n")
    out = tmp_path / "results"
    words = ["bench", "speed", "fast-92", "--against", "slow", "--peers", tmp_path, "--out", out]
    done = cli(*words)
    assert done.returncode == 2
    assert "no-such-package-as-this" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_an_unknown_peer_is_one_line(cli: Cli, tmp_path: Path) -> None:
    done = cli("bench", "speed", "two-conv", "--against", "caffe", "--peers", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"error: no peer 'caffe' in {tmp_path}; that folder has none\n"


def test_the_peers_environment_has_all_that_they_import() -> None:
    """It lacks this package's own requirements, whose modules the peers import from the path."""
    folder = ROOT / "benchmarks" / "peers"
    listed = [
        line.partition("==")[0]
        for line in (folder / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    there, waiting = set[str](), listed
    while waiting:
        name = canonical(waiting.pop())
        if name in there:
            continue
        there.add(name)
        with contextlib.suppress(metadata.PackageNotFoundError):
            needed = [one for one in metadata.requires(name) or () if "extra ==" not in one]
            waiting += [re.split(r"[^\w.-]", one)[0] for one in needed]
    code = (
        "import sys, _common; from fashioncnn.data.dataset import DataSet; DataSet().test;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    known = metadata.packages_distributions()
    imported = {canonical(known[module][0]) for module in done.stdout.split() if module in known}
    assert "pydantic" in imported
    # pooch takes tqdm where it is there.
    assert imported - {"fashioncnn", "tqdm"} <= there


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_two_recipes_of_one_name_are_refused(
    words_of: Callable[..., tuple[int, str, str]], tiny_recipe: Path, tmp_path: Path
) -> None:
    words = ("bench", "speed", tiny_recipe, tiny_recipe, "--out", tmp_path / "out")
    status, _, err = words_of(*words)
    assert status == 2
    assert "two of the recipes have the same name" in err
