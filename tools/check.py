"""Run the project's checks: linters, types, imports, and tests; all of them even if one fails.

Usage: python tools/check.py [--all]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"])
# Two tests at a time, on a thread each, are faster than one on two: they are small.
PARALLEL = ["-n", str(os.cpu_count() or 1), "--dist", "loadfile", "--no-loadscope-reorder"]
# Many processes import the same: what they compile is kept.
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}


def run(command: list[str]) -> tuple[bool, str]:
    """Run one command of the environment; return whether it went well, and what it said."""
    started = time.monotonic()
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    seconds = time.monotonic() - started
    good = done.returncode == 0
    words = "" if good else f"\n{done.stdout}{done.stderr}"
    return good, f"{'ok    ' if good else 'FAILED'} {' '.join(command)}  {seconds:.0f} s{words}"


def test(arguments: list[str]) -> bool:
    """Run pytest before the user's eyes."""
    command: list[str | Path] = [BIN / "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT).returncode == 0


def main() -> None:
    """Run the checks, then the tests: the fast ones, or all."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, CHECKS))
    for _, words in results:
        print(words, flush=True)
    good = all(one for one, _ in results)
    if "--all" in sys.argv[1:]:
        good &= test([*PARALLEL, "-m", "not alone"])
        good &= test(["-m", "alone"])
    else:
        good &= test([*PARALLEL, "-m", "fast"])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
