"""Processes forked from one that has imported everything: they start in milliseconds.

What it is like to start by oneself is tested in test_cli.py and test_package.py.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fashioncnn

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["torch._dynamo", "lightning_fabric", "fashioncnn.cli.verbs", "fashioncnn.workflows.tune"]
)


class Fork:
    """`function(*arguments)` in a process of its own; what it says goes to files in `folder`."""

    def __init__(self, folder: Path, function: Callable[..., Any], *arguments: Any) -> None:
        folder.mkdir(exist_ok=True)
        self._files = [folder / "stdout", folder / "stderr"]
        for file in self._files:
            file.touch()
        told = (self._files, dict(os.environ), Path.cwd(), function, arguments)
        self._process = SERVER.Process(target=_work, args=told)
        self._process.start()

    @property
    def stdout(self) -> str:
        """What it has said so far."""
        return self._files[0].read_text(errors="surrogateescape")

    @property
    def stderr(self) -> str:
        """What it has said so far beside its answer."""
        return self._files[1].read_text(errors="surrogateescape")

    @property
    def status(self) -> int | None:
        """Its exit status: None while it runs, negative for a signal."""
        return self._process.exitcode

    def send(self, signal: int) -> None:
        """Send it a signal, if it still runs."""
        assert self._process.pid
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal)

    def wait(self, timeout_seconds: float = 300) -> int:
        """Wait until it ends, and return its exit status."""
        self._process.join(timeout_seconds)
        if self.status is None:
            self._process.kill()
            raise TimeoutError(f"still running after {timeout_seconds} s: {self.stderr}")
        return self.status

    def wait_for(self, sign: str) -> bool:
        """Wait until it has said `sign` beside its answer; say whether it is still running."""
        while sign not in self.stderr and self.status is None:
            time.sleep(0.02)
        return self.status is None


def command_line(folder: Path, *words: object) -> Fork:
    """Begin `python -W error -m fashioncnn WORDS`."""
    return Fork(folder, _main, list(map(str, words)))


def _main(words: list[str]) -> None:
    from fashioncnn.cli.main import main

    sys.argv = [str(Path(fashioncnn.__file__).with_name("__main__.py")), *words]
    main()


def _work(
    files: list[Path],
    environment: dict[str, str],
    cwd: Path,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    # As of a process that starts by itself.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    warnings.simplefilter("error")
    function(*arguments)
