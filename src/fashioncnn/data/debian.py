"""Fashion-MNIST from Debian's package, with the machine's own apt client, without root."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from fashioncnn.errors import DataError

PACKAGE = "dataset-fashion-mnist"
TIMEOUT_SECONDS = 300


def available() -> bool:
    """Say whether this machine has apt's and dpkg's clients."""
    return all(shutil.which(program) for program in ("apt-get", "dpkg-deb"))


def fetch(scratch: Path) -> Path:
    """Download and unpack the package below `scratch`; return the folder with the files.

    Tries the machine's package lists, then lists of its own in `scratch`, which needs no root.
    Raises DataError with apt's own words.
    """
    lists = scratch / "lists"
    (lists / "partial").mkdir(parents=True)
    own_lists = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={scratch}"]
    try:
        _run(["apt-get", "download", PACKAGE], scratch)
    except DataError:
        _run(["apt-get", *own_lists, "update"], scratch)
        _run(["apt-get", *own_lists, "download", PACKAGE], scratch)
    packages = list(scratch.glob(f"{PACKAGE}_*.deb"))
    if not packages:
        raise DataError(f"apt-get download {PACKAGE} left no package")
    unpacked = scratch / "unpacked"
    _run(["dpkg-deb", "--extract", str(packages[0]), str(unpacked)], scratch)
    return unpacked / "usr/share/datasets/fashion-mnist"


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"{command[0]}: no end within {TIMEOUT_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        words = [line for line in error.stderr.splitlines() if line.startswith("E:")]
        reason = words[0][2:].strip() if words else f"exit status {error.returncode}"
        raise DataError(f"{' '.join(command[:1] + command[-2:])}: {reason}") from None
