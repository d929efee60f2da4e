"""Run the project's checks: linters, types, imports, and tests; all of them even if one fails.

Usage: python tools/check.py [--all]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
QUICK = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports"])
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


def told(results: Iterable[tuple[bool, str]]) -> bool:
    """Print what each check said; return whether all went well."""
    good = True
    for one, words in results:
        print(words, flush=True)
        good &= one
    return good


def test(arguments: list[str]) -> bool:
    """Run pytest before the user's eyes."""
    command: list[str | Path] = [BIN / "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT).returncode == 0


def main() -> None:
    """Run the checks and the tests: the fast ones, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="all tests, not the fast ones alone")
    all_tests: bool = parser.parse_args().all
    with ThreadPoolExecutor() as pool:
        # Types take longest: they are looked at while tests run.
        types = pool.submit(run, ["mypy"])
        good = told(pool.map(run, QUICK))
        good &= test([*PARALLEL, "-m", "not alone" if all_tests else "fast"])
        good &= told([types.result()])
    if all_tests:
        good &= test(["-m", "alone"])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
