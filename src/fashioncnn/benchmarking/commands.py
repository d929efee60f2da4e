"""Running a command as a process of its own, and what it took."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashioncnn.errors import BenchmarkError


@dataclass(frozen=True)
class Finished:
    """A command that ended well: the JSON object it printed, its time and its memory."""

    answer: dict[str, Any]
    seconds: float
    peak_memory_mib: float


def fashioncnn(*arguments: str) -> Finished:
    """Run a verb of this package with --json; see `run`."""
    return run([sys.executable, "-m", "fashioncnn", *arguments, "--json"])


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run `command`, which prints one JSON object, with its messages kept off the terminal.

    Raises BenchmarkError, with the command's last line, when it fails or prints something else.
    """
    with tempfile.TemporaryFile() as messages, tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdout=output, stderr=messages, env={**os.environ, **(environment or {})}
            )
        except OSError as error:
            raise BenchmarkError(f"cannot run {command[0]}: {error.strerror or error}") from None
        try:
            # Not Popen.wait: this one tells the memory of this very process.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        output.seek(0)
        messages.seek(0)
        try:
            answer = json.loads(output.read())
        except ValueError:
            answer = None
        if process.returncode or not isinstance(answer, dict):
            lines = messages.read().decode(errors="replace").strip().splitlines()
            raise BenchmarkError(
                f"{' '.join(command)}: exit status {process.returncode}: "
                + (lines[-1] if lines else "it printed no JSON object")
            )
    return Finished(answer, seconds, peak_memory_mib(usage))


def peak_memory_mib(usage: resource.struct_rusage) -> float:
    """Return the most memory that a process had, from what the system tells of it."""
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kib / 1024
