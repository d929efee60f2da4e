from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from conftest import TINY_RECIPE, Cli
from fashioncnn.cli import verbs
from fashioncnn.cli.main import main
from fashioncnn.errors import printable, reason
from fashioncnn.runs.directory import Run

Words = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.alone
def test_help_is_instant() -> None:
    """Under 0.4 s; the best of several, as other work on the machine only ever adds."""
    program = Path(sys.executable).with_name("fashioncnn")
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
        best = min(best, time.perf_counter() - started)
    assert best < 0.4
    assert "train" in done.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, fashioncnn; heavy = {'torch', 'numpy', 'pydantic', 'matplotlib', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_these_and_all_there() -> None:
    import fashioncnn as fc

    assert fc.__all__ == [
        *("train", "train_seeds", "evaluate", "stress", "unknown", "explain", "attribute"),
        *(
            "embed",
            "report",
            "compare",
            "audit",
            "tune",
            "trust",
            "new",
            "check",
            "load",
            "predict",
        ),
        *("explore", "export", "serve", "open_bundle"),
        *(
            "bench_machine",
            "bench_speed",
            "bench_record",
            "bench_predict",
            "fetch_data",
            "check_data",
        ),
        *(
            "show_data",
            "import_data",
            "open_run",
            "open_runs",
            "load_recipe",
            "Bundle",
            "DataSet",
            "LabelledImages",
            "Recipe",
            "Run",
            "Scores",
        ),
        *("Trained", "Processes", "RayCluster", "FashionCNNError"),
    ]
    for name in fc.__all__:
        assert getattr(fc, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fc.nothing  # noqa: B018


def test_the_options_of_every_verb_are_these(words_of: Words) -> None:
    options = {}
    verbs = ["data fetch", "data check", "data audit", "recipes", "train", "evaluate", "compare"]
    verbs += [
        "data show",
        "data import",
        "predict",
        "tune",
        "explain",
        "report",
        "bench machine",
        "bench speed",
        "bench predict",
    ]
    for verb in verbs:
        _, words, _ = words_of(*verb.split(), "--help")
        options[verb] = sorted(
            set(re.findall(r"--[a-z-]+", words)) - {"--help", "--quiet", "--verbose"}
        )
    assert options == {
        "data fetch": ["--from", "--json"],
        "data check": ["--json"],
        "data show": ["--json", "--out", "--size"],
        "data import": ["--json", "--out", "--size"],
        "predict": [
            "--csv",
            "--device",
            "--json",
            "--not-sure-below",
            "--show",
            "--top",
            "--trust",
        ],
        "recipes": ["--json", "--keys"],
        "train": [
            "--address",
            "--cpus",
            "--data",
            "--device",
            "--executor",
            "--gpus",
            "--json",
            "--out",
            "--precision",
            "--report",
            "--resume",
            "--seed",
            "--seeds",
            "--set",
            "--size",
            "--track",
            "--trust",
            "--workers",
        ],
        "data audit": ["--data", "--device", "--json", "--out", "--recipe", "--seed", "--trust"],
        "evaluate": [
            "--checkpoint",
            "--data",
            "--device",
            "--json",
            "--split",
            "--stress",
            "--trust",
            "--unknown",
            "--views",
        ],
        "compare": ["--data", "--device", "--json", "--trust"],
        "tune": [
            "--address",
            "--budget",
            "--cpus",
            "--data",
            "--device",
            "--executor",
            "--gpus",
            "--json",
            "--out",
            "--resume",
            "--sampler",
            "--seeds",
            "--storage",
            "--track",
            "--trials",
            "--workers",
        ],
        "bench machine": ["--device", "--json"],
        "bench speed": [
            "--against",
            "--data",
            "--device",
            "--json",
            "--out",
            "--peer-seeds",
            "--peers",
            "--precision",
            "--resume",
            "--seeds",
            "--warm",
        ],
        "bench predict": [
            "--batch-size",
            "--checkpoint",
            "--device",
            "--json",
            "--precision",
            "--trust",
        ],
        "explain": [
            "--checkpoint",
            "--data",
            "--device",
            "--json",
            "--per-class",
            "--picture",
            "--trust",
        ],
        "report": ["--data", "--device", "--full", "--json", "--out", "--track", "--trust"],
    }


def test_version(cli: Cli) -> None:
    from fashioncnn import __version__

    assert cli("--version").stdout.strip() == __version__


def test_recipes_lists_and_prints(words_of: Words, tmp_path: Path) -> None:
    status, listed, _ = words_of("recipes")
    assert status == 0
    for words in ("two-conv", "three-conv", "test accuracy", "n = 5"):
        assert words in listed
    _, printed, _ = words_of("recipes", "two-conv")
    path = tmp_path / "mine.toml"
    path.write_text(printed)
    mine, built_in = (words_of("recipes", one, "--json")[1] for one in (path, "two-conv"))
    assert json.loads(mine) == json.loads(built_in)


WRONG = [
    (["train", "four-conv"], "no recipe 'four-conv'"),
    (["train", "two-conv", "--set", "optimizer.lerning_rate=1"], "unknown key optimizer.lerning"),
    (["train", "two-conv", "--set", "optimizer.learning_rate=fast"], 'is "fast"; it must be'),
    (["train", "two-conv", "--set", "loss.class_weights.Skirt=2"], "names the class 'Skirt'"),
    (["train", "two-conv", "--data", "{tmp}/nothing"], "nothing is there. Known are"),
    (["train", "two-conv", "--device", "cuda"], "--device cuda: there is none on this machine"),
    (
        ["train", "two-conv", "--device", "toaster"],
        "Invalid value for '--device': 'toaster' is not one of",
    ),
    (["train", "two-conv", "--seed", "1", "--seeds", "2"], "--seed or --seeds, not both"),
    (["train", "two-conv", "--seed", "-1"], "greater than or equal to 0"),
    (["train", "two-conv", "--speed", "9"], "No such option: --speed"),
    (["train"], "Missing argument 'recipe'"),
    (["dance"], "No such command 'dance'"),
    (["evaluate", "{tmp}/nothing"], "no such run directory"),
    (["data", "audit", "{tmp}"], "pictures are named by --data"),
    (["explain", "{tmp}"], "not a run directory"),
    (["report", "{tmp}"], "not a run directory"),
    (["recipes", "{tmp}"], "no recipe"),
    (["data", "check", "{tmp}/nothing"], "no such folder"),
    (["data", "fetch", "--from", "{tmp}"], "missing train-images-idx3-ubyte"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_wrong_input_gets_one_line_and_status_2(
    words: list[str], message: str, words_of: Words, tmp_path: Path, monkeypatch: Any
) -> None:
    if "cuda" in words:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has CUDA")
    monkeypatch.chdir(tmp_path)
    status, out, err = words_of(*(word.format(tmp=tmp_path) for word in words))
    assert status == 2
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_data
def test_truncated_data_is_one_line(cli: Cli, tmp_path: Path) -> None:
    from fashioncnn.data.places import find

    for path in find().folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (path,) = tmp_path.glob("train-images*")
    path.write_bytes(path.read_bytes()[:1_000_000])
    done = cli("train", "two-conv", "--data", tmp_path, "--out", tmp_path / "runs")
    assert done.returncode == 2
    assert "cut short" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/full").exists(), reason="needs root")
@pytest.mark.real_data
def test_no_disk_space_is_one_line(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "small"
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(out)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("cannot mount here")
    try:
        done = cli(
            *("train", "three-conv", "--out", out),
            *("--set", "data.validation_images=50000", "--set", "training.epochs=1"),
        )
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert re.fullmatch(r"error: cannot write .*: No space left on device", last)
        assert "Traceback" not in done.stderr
        assert not list(out.rglob("*.tmp"))
        assert not list(out.rglob("*.safetensors"))
    finally:
        subprocess.run(["umount", str(out)], check=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_are_said(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def interrupted() -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(verbs, "app", app)
    monkeypatch.setattr(sys, "argv", ["fashioncnn"])
    # Tests that a script starts in the background are born deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 130
    assert capsys.readouterr().err == "stopped\n"


def shell(command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    program = f"{sys.executable} -m fashioncnn"
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + command.replace("fashioncnn", program, 1)],
        capture_output=True,
        cwd=cwd,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command",
    [
        "LC_ALL=C fashioncnn recipes",
        "PYTHONIOENCODING=latin-1 fashioncnn recipes",
        "PYTHONIOENCODING=ascii fashioncnn recipes --keys",
        "fashioncnn recipes 2>&-",
        "fashioncnn --help 2>&-",
        "HOME=/nowhere XDG_CACHE_HOME=/nowhere fashioncnn recipes",
        "fashioncnn recipes two-conv",
    ],
)
def test_it_works_wherever_it_is(command: str) -> None:
    done = shell(command)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("verb", ["--help", "recipes", "recipes --keys", "recipes --json"])
def test_a_reader_that_goes_away_is_no_error(verb: str) -> None:
    done = shell(f"fashioncnn {verb} | head -c 1")
    assert done.returncode == 0
    assert done.stderr == b""


def test_paths_that_are_no_utf_8(tmp_path: Path) -> None:
    done = shell(f"fashioncnn evaluate {tmp_path}/$'caf\\xe9'")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"no such run directory" in done.stderr


def test_a_deleted_working_directory_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    done = shell(f"cd {folder}; rmdir {folder}; fashioncnn recipes")
    assert done.returncode == 2
    assert done.stderr == b"error: the working directory was deleted\n"


def test_help_reads_well_in_80_columns(words_of: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for verb in ("train", "tune", "evaluate", "explain", "bench speed", "data audit"):
        _, words, _ = words_of(*verb.split(), "--help")
        assert max(map(len, words.splitlines())) <= 80
        assert "range" not in words
        assert "--quiet" in words
        assert "--verbose" in words
    assert "FASHIONCNN_DATA" in words_of("train", "--help")[1]
    assert "--install-completion" in words_of("--help")[1]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("train fast-9", {"fast-92", "fast-93", "fast-94", "fast-95"}),
        ("bench speed micro fast-95", {"fast-95"}),
        ("tune two-conv-", {"two-conv-grid"}),
        ("serve ti", {"tiny"}),
    ],
)
def test_the_shell_completes_names(
    typed: str, offered: set[str], words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_FASHIONCNN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"fashioncnn {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split())))
    _, said, _ = words_of()
    assert offered <= set(said.split())


def documented(verb: str) -> set[str]:
    """Return the keys that docs/reference/json.md gives for a verb: those outside of brackets."""
    page = (ROOT / "docs" / "reference" / "json.md").read_text()
    (row,) = re.findall(rf"^\| {re.escape(verb)} \| (.*) \|$", page, re.M)
    # Behind a colon stands what a key holds, up to the next semicolon.
    told = [part.partition(":")[0] for part in re.sub(r"\([^)]*\)", "", row).split(";")]
    return set(re.findall(r"`(\w+)`", " ".join(told)))


@pytest.mark.usefixtures("tiny_data")
def test_json_has_the_keys_that_are_documented(
    words_of: Words, reported: Run, tiny_npz: Path, tmp_path: Path
) -> None:
    run, copy = reported.path, tmp_path / "copy"
    shutil.copytree(run, copy)
    (tmp_path / "idx").mkdir()
    recipe = tmp_path / "short.toml"
    recipe.write_text(TINY_RECIPE.replace("epochs = 3", "epochs = 1"))
    asked: dict[str, list[object]] = {
        "`train`": ["train", recipe, "--out", tmp_path / "runs"],
        "`evaluate`, one run": ["evaluate", run],
        "`evaluate`, several runs": ["evaluate", run, copy],
        "`compare`": ["compare", run, copy],
        "`explain`": ["explain", run],
        "`explore`": ["explore", run, "-o", tmp_path / "explorer.html"],
        "`report`": ["report", run],
        "`predict`": ["predict", run, tmp_path / "nothing.png"],
        "`new`": ["new", tmp_path / "mine.py"],
        "`check`": ["check", tmp_path / "mine.py"],
        "`data check`": ["data", "check", tmp_path / "idx"],
        "`data show`": ["data", "show", tiny_npz],
        "`data import`": ["data", "import", tiny_npz, "-o", tmp_path / "copy.npz"],
        "`bench machine`": ["bench", "machine"],
        "`bench predict`": ["bench", "predict", run, "--batch-size", 1],
    }
    for verb, words in asked.items():
        _, said, _ = words_of(*words, "--json")
        assert json.loads(said).keys() == documented(verb), verb


def test_former_names_of_options_go_on_working(words_of: Words) -> None:
    for words in (["train", "none", "--log", "tensorboard"], ["tune", "none", "--grid"]):
        status, _, err = words_of(*words)
        assert status == 2
        assert "no recipe" in err or "no space" in err


@pytest.mark.parametrize(
    "change",
    [
        "training.epochs=" + "9" * 5000,
        "model.channels=[" + "9" * 5000 + "]",
        "name=" + "x" * 100_000,
        "x" * 100_000 + "=3",
    ],
)
def test_endless_changes_are_one_short_line(change: str, words_of: Words) -> None:
    status, _, err = words_of("train", "two-conv", "--set", change)
    assert status == 2
    assert err.count("\n") == 1
    assert len(err) < 1000


def test_keys_are_listed(words_of: Words) -> None:
    _, words, _ = words_of("recipes", "--keys")
    assert "optimizer.sgd_learning_rate  (name = muon)" in words
    assert "augmentation.rotation_degrees" in words
    assert max(map(len, words.splitlines())) <= 80
    listed = json.loads(words_of("recipes", "--keys", "--json")[1])["keys"]
    assert {"name", "allowed", "default", "meaning", "choice", "required"} == set(listed[0])


@pytest.mark.fast
def test_no_terminal_obeys_what_is_named_by_others() -> None:
    named = "a\x1b[2J\u202eb é 日本 👩\u200d🎨\nnext"
    assert printable(named) == "a\\x1b[2J\\u202eb é 日本 👩\u200d🎨\nnext"
    assert reason(ValueError(" \n\x07 first\nlast ")) == "\\x07 first"
    assert reason(ValueError("first\nlast "), line=-1) == "last"
    assert reason(ValueError()) == "ValueError"
