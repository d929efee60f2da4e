"""Run tests of the tree in the working directory, for mutants.py: each time in a fork, which begins
with libraries imported and the package not.

Usage: python judge.py, and lines of JSON on standard input; each is answered by 1 if a test fails
or nothing ends within the seconds that it gives, else by 0:
["measure", SECONDS, FILE, OUT]: run all tests of a file, write what each runs and how long it takes
["fails", SECONDS, TEST…]: run tests in that order until one fails
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import coverage
import pytest

IMPORTED = (
    *("torch._dynamo", "lightning_fabric", "matplotlib.figure", "scipy.stats"),
    *("pydantic", "typer", "rich.progress", "cv2", "PIL.Image", "safetensors.torch", "onnxruntime"),
)
# Plugins are imported before pytest could rewrite their assertions.
OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "--basetemp", "pytest-of-judge", "-m", "not alone"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
LARGEST_BYTES = 8 << 30


class Measured:
    """A plugin of pytest: the lines of the package that each test runs, and its seconds."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(
            data_file=None, source=["src/fashioncnn"], config_file=False, messages=False
        )
        self.seconds: dict[str, float] = defaultdict(float)
        self._shared: dict[str, float] = {}
        self._needed: dict[str, list[str]] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note what runs from now on as run by `item`, its fixtures' work too."""
        self.coverage.switch_context(item.nodeid)
        self._needed[item.nodeid] = list(getattr(item, "fixturenames", ()))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """Note the seconds of what several tests share: a fork makes it anew."""
        started = time.monotonic()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self._shared[fixturedef.argname] = time.monotonic() - started

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the seconds of a test, with the longest of what it shares."""
        self.seconds[report.nodeid] += report.duration
        if report.when == "setup":
            shared = (self._shared.get(name, 0.0) for name in self._needed[report.nodeid])
            self.seconds[report.nodeid] = max(report.duration, *shared, 0.0)
        if report.failed:
            self.failed.append(report.nodeid)

    def tests_by_line(self) -> dict[str, dict[int, list[str]]]:
        """Return the tests that ran each line of each file, a path below the working directory."""
        data = self.coverage.get_data()
        return {
            os.path.relpath(file): {
                line: [test for test in tests if test]
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }


class InOrder:
    """A plugin of pytest: these tests alone, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what was not asked for, and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )


def measure(name: str, out: str) -> bool:
    """Run the tests of a file, and write to `out` what they ran; say whether one failed."""
    measured = Measured()
    measured.coverage.start()
    pytest.main([*OPTIONS, name], plugins=[measured])
    measured.coverage.stop()
    told = {
        "failed": measured.failed,
        "seconds": measured.seconds,
        "lines": measured.tests_by_line(),
    }
    Path(out).write_text(json.dumps(told))
    return bool(measured.failed)


def fails(*tests: str) -> bool:
    """Say whether one of `tests` fails, or none can be run."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    return pytest.main([*OPTIONS, "-x", *files], plugins=[InOrder(tests)]) != pytest.ExitCode.OK


def forked(work: Callable[[], bool], timeout_seconds: float) -> bool:
    """Do `work` in a fork, silently; what ends otherwise, or never, counts as True."""
    if not (child := os.fork()):
        os.setsid()
        # A mutant may loop without end and fill the memory, and outlive this process.
        resource.setrlimit(resource.RLIMIT_CPU, (int(timeout_seconds),) * 2)
        resource.setrlimit(resource.RLIMIT_DATA, (LARGEST_BYTES,) * 2)
        silence = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(silence, number)
        status = 1
        with suppress(BaseException):
            status = int(work())
        os._exit(status)
    ends = time.monotonic() + timeout_seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < ends:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended[0]:
        os.waitpid(child, 0)
    return not ended[0] or ended[1] != 0


def main() -> None:
    """Answer until standard input ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for line in sys.stdin:
        asked, timeout_seconds, *words = json.loads(line)
        work = partial(measure if asked == "measure" else fails, *words)
        print(int(forked(work, timeout_seconds)), flush=True)


if __name__ == "__main__":
    main()
