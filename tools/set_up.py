"""Set the project up: a virtual environment in .venv with everything installed.

Needs nothing but Python's standard library. Says what it does, does only what is missing, and is
done in a moment the second time. On a machine without an NVIDIA GPU, PyTorch's CPU build is
installed, so that no CUDA package is downloaded.

Usage: python3 tools/set_up.py [--dev]
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = (3, 11)
TORCH = "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP_FACTS = "https://pypi.org/pypi/pip/json"


def main() -> None:
    """Bring .venv to what pyproject.toml asks for."""
    dev = "--dev" in sys.argv[1:]
    stamp = VENV / (".set-up-dev" if dev else ".set-up")
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    if not PYTHON.exists():
        _make_venv()
    if not _has_torch():
        _install_torch()
    _say("installing fashioncnn" + (" with its test tools" if dev else ""))
    _pip("install", "--quiet", "--editable", f"{ROOT}[dev]" if dev else str(ROOT))
    stamp.write_text(wanted)
    _say(f"ready in {time.monotonic() - started:.0f} s")


def _fingerprint() -> str:
    """Change when what is to be installed, or where, changes."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"".join(parts) + str(ROOT).encode()).hexdigest()


def _make_venv() -> None:
    python = _find_python()
    _say(f"making .venv with {python}")
    if _run([python, "-m", "venv", str(VENV)], quiet=True):
        return
    # Debian ships venv without pip unless python3-venv is installed; PyPI has pip itself.
    _say("this Python has no ensurepip: taking pip from PyPI")
    shutil.rmtree(VENV, ignore_errors=True)
    if not _run([python, "-m", "venv", "--without-pip", str(VENV)]):
        sys.exit("set-up: this Python cannot make a virtual environment")
    with urllib.request.urlopen(PIP_FACTS, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / wheel["filename"]
        # Mirrors of PyPI may name their files relative to this address.
        url = urllib.parse.urljoin(PIP_FACTS, wheel["url"])
        with urllib.request.urlopen(url, timeout=60) as answer:
            path.write_bytes(answer.read())
        if hashlib.sha256(path.read_bytes()).hexdigest() != wheel["digests"]["sha256"]:
            sys.exit("set-up: the download of pip is damaged; try again")
        if not _run([str(PYTHON), f"{path}/pip", "install", "--quiet", str(path)]):
            sys.exit("set-up: pip could not be installed")


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


def _has_torch() -> bool:
    return _run([str(PYTHON), "-c", "import torch"], quiet=True)


def _install_torch() -> None:
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        _say(f"installing PyTorch {TORCH}")
        _pip("install", "--quiet", f"torch=={TORCH}")
        return
    _say(f"installing PyTorch {TORCH}, CPU build: no NVIDIA GPU here")
    cpu_build = f"torch=={TORCH}+cpu"
    # Where pip is set up with a folder of wheels or a mirror that has the CPU build, take that.
    if not _run([str(PYTHON), "-m", "pip", "install", "--quiet", cpu_build], quiet=True):
        _pip("install", "--quiet", cpu_build, "--extra-index-url", CPU_INDEX)


def _pip(*arguments: str) -> None:
    if not _run([str(PYTHON), "-m", "pip", *arguments]):
        sys.exit(f"set-up: `pip {' '.join(arguments)}` failed; its words are above")


def _run(command: list[str], *, quiet: bool = False) -> bool:
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=environment, stdout=output, stderr=output).returncode == 0


def _say(line: str) -> None:
    print(f"set-up: {line}", flush=True)


if __name__ == "__main__":
    main()
