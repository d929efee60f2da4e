"""Measure what serving takes: disk of an empty environment, time to the first answer, memory.

Builds the wheel, installs it by uv as `fashioncnn[EXTRAS]` into new environments, and serves the
network that comes along from each of them. Writes results/install.json.

Usage: python benchmarks/install.py [--times 5]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fashioncnn.evaluation.summary import summarise
from serving import first_answer, free_port, memory, served
from shared import ROOT, write_result

EXTRAS = ("serve", "serve,photos")
WEIGHTS = "import fashioncnn.opening.models as m; print(m.own_bundle().path)"


def main() -> None:
    """Install with each set of extras, and start the server some times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        found = {
            extras: measure(Path(scratch) / f"environment{number}", wheel, extras, times)
            for number, extras in enumerate(EXTRAS)
        }
        wheel_mb = wheel.stat().st_size / 1e6
    for extras, one in found.items():
        print(f"[{extras}]", one)
    facts = {"command": f"python benchmarks/install.py --times {times}", "wheel_mb": wheel_mb}
    write_result("install", facts | {"extras": found})


def build(folder: Path) -> Path:
    """Build the wheel from what git knows, and return it."""
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def measure(environment: Path, wheel: Path, extras: str, times: int) -> dict[str, Any]:
    """Install into a new environment and look at it."""
    uv("venv", "--quiet", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    # Bytecode as pip makes it, and as uv leaves it to the first start.
    how = ["--quiet", "--compile-bytecode", "--constraint", constraints]
    uv("pip", "install", *how, "--python", str(python), f"{wheel}[{extras}]")
    (packages,) = (environment / "lib").glob("python*/site-packages")
    assert not (packages / "torch").exists()
    place = subprocess.run([python, "-c", WEIGHTS], capture_output=True, text=True, check=True)
    starts = [start(python, place.stdout.strip()) for _ in range(times)]
    files = [file for file in packages.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    bytecode = sum(file.stat().st_size for file in files if file.suffix == ".pyc")
    megabytes = {"installed_mb": (size - bytecode) / 1e6, "with_bytecode_mb": size / 1e6}
    return {**megabytes, **summarise(starts)}


def start(python: Path, bundle: str) -> dict[str, float]:
    """Serve until the first answer."""
    port = free_port()
    command = [str(python), "-m", "fashioncnn", "serve", bundle, "--port", str(port)]
    started = time.monotonic()
    with served(command, {}) as server:
        first_answer(port)
        seconds = time.monotonic() - started
        return {"first_answer_seconds": seconds, "memory_mib": memory(server)}


def uv(*words: str) -> None:
    """Run uv."""
    subprocess.run([str(Path(sys.executable).with_name("uv")), *words], check=True)


if __name__ == "__main__":
    main()
