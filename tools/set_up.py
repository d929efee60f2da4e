"""Set the project up: a virtual environment in .venv with everything installed.

Needs nothing but Python's standard library. Says what it does, does only what is missing, and is
done in a moment the second time. Versions are those of constraints.txt; with --upgrade the newest
are installed, and constraints.txt is written anew. uv installs where it is there or can be had;
else pip does. On a machine without an NVIDIA GPU, PyTorch's CPU build is installed, so that no
CUDA package is downloaded.

Usage: python3 tools/set_up.py [--dev] [--upgrade]
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST_PYTHON = (3, 11)
TORCH = "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP_FACTS = "https://pypi.org/pypi/pip/json"


def main() -> None:
    """Bring .venv to what pyproject.toml asks for."""
    dev, upgrade = ("--dev" in sys.argv[1:]), ("--upgrade" in sys.argv[1:])
    stamp = VENV / (".set-up-dev" if dev else ".set-up")
    wanted = _fingerprint()
    if not upgrade and stamp.exists() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    if not PYTHON.exists():
        _make_venv()
    if not _run([PYTHON, "-c", "import torch"], quiet=True):
        _install_torch()
    _say("installing fashioncnn" + (" with its test tools" if dev else ""))
    how = ["--upgrade"] if upgrade else ["--constraint", str(CONSTRAINTS)]
    _install(*how, "--editable", f"{ROOT}[{'dev' if dev else 'train,export,serve'}]")
    if upgrade:
        _write_constraints()
    stamp.write_text(_fingerprint())
    _say(f"ready in {time.monotonic() - started:.0f} s")


def _fingerprint() -> str:
    """Change when what is to be installed, or where, changes."""
    files = (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__))
    return hashlib.sha256(b"".join(map(Path.read_bytes, files)) + str(ROOT).encode()).hexdigest()


def _make_venv() -> None:
    python = _find_python()
    _say(f"making .venv with {python}")
    if _run([python, "-m", "venv", VENV], quiet=True):
        return
    # Debian ships venv without pip unless python3-venv is installed; PyPI has pip itself.
    _say("this Python has no ensurepip: taking pip from PyPI")
    shutil.rmtree(VENV, ignore_errors=True)
    if not _run([python, "-m", "venv", "--without-pip", VENV]):
        sys.exit("set-up: this Python cannot make a virtual environment")
    with urllib.request.urlopen(PIP_FACTS, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    # Mirrors of PyPI may name their files relative to this address.
    with urllib.request.urlopen(urllib.parse.urljoin(PIP_FACTS, wheel["url"]), timeout=60) as got:
        content = got.read()
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        sys.exit("set-up: the download of pip is damaged; try again")
    (site,) = VENV.glob("lib/python*/site-packages")
    zipfile.ZipFile(io.BytesIO(content)).extractall(site)


def _find_python() -> str:
    """Return this Python if it is new enough, else the newest on the path."""
    if sys.version_info >= OLDEST_PYTHON:
        return sys.executable
    for minor in range(20, OLDEST_PYTHON[1] - 1, -1):
        if python := shutil.which(f"python3.{minor}"):
            return python
    sys.exit(
        f"set-up: Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer is needed, "
        f"this is {platform.python_version()}"
    )


def _install_torch() -> None:
    """Install PyTorch by pip: its settings, unlike uv's, may name a folder of wheels."""
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        _say(f"installing PyTorch {TORCH}")
        _pip("install", f"torch=={TORCH}")
        return
    _say(f"installing PyTorch {TORCH}, CPU build: no NVIDIA GPU here")
    cpu_build = f"torch=={TORCH}+cpu"
    if not _run([PYTHON, "-m", "pip", "install", "--quiet", cpu_build], quiet=True):
        _pip("install", cpu_build, "--extra-index-url", CPU_INDEX)


def _install(*arguments: str) -> None:
    """Install by uv where it is there or comes from PyPI, else by pip."""
    uv = shutil.which("uv") or str(VENV / "bin" / "uv")
    if not Path(uv).exists():
        _run([PYTHON, "-m", "pip", "install", "--quiet", "uv"], quiet=True)
    command: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", PYTHON, *arguments]
    if not (Path(uv).exists() and _run(command)):
        _pip("install", *arguments)


def _write_constraints() -> None:
    """Write what is installed now as constraints: names and versions alone."""
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "list",
        "--format",
        "json",
        "--exclude-editable",
    ]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    lines = [f"{one['name']}=={one['version'].partition('+')[0]}\n" for one in listed]
    CONSTRAINTS.write_text("".join(sorted(lines, key=str.lower)))


def _pip(*arguments: str) -> None:
    if not _run([PYTHON, "-m", "pip", *arguments, "--quiet"]):
        sys.exit(f"set-up: `pip {' '.join(arguments)}` failed; its words are above")


def _run(command: list[str | Path], *, quiet: bool = False) -> bool:
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=environment, stdout=output, stderr=output).returncode == 0


def _say(line: str) -> None:
    print(f"set-up: {line}", flush=True)


if __name__ == "__main__":
    main()
