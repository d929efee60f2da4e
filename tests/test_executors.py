"""Processes of this machine: they take job after job, and a killed one's job is begun anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fashioncnn.console.stopping import stop_wish
from fashioncnn.errors import DataError, RunError, Stopped, WorkerError
from fashioncnn.executors.base import Done, Job, run_jobs
from fashioncnn.executors.messages import pack_error, unpack_error
from fashioncnn.executors.processes import Processes, RunningProcesses, _Worker
from fashioncnn.runs.directory import RunTaken


def tell_process(folder: Path, report: Callable[[Any], bool], value: int) -> list[int]:
    """A job: its process, its value, and what its report was answered."""
    return [os.getpid(), value, report(value)]


def fail(folder: Path, report: Callable[[Any], bool], value: int) -> None:
    """A job that cannot be done."""
    raise DataError(f"no {value}")


def print_below_python(folder: Path, report: Callable[[Any], bool], value: int) -> int:
    """A job that writes to the number of standard output, as libraries in C do."""
    os.write(1, b"a library says hello")
    return value


def die_once(folder: Path, report: Callable[[Any], bool], value: int) -> int:
    """A job whose process is killed the first time."""
    if not (folder / str(value)).exists():
        (folder / str(value)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def die(folder: Path, report: Callable[[Any], bool], value: int) -> None:
    """A job whose process is killed every time."""
    os.kill(os.getpid(), signal.SIGKILL)


def work_until_stopped(folder: Path, report: Callable[[Any], bool], value: int) -> None:
    """A job that ends when it is asked to stop, as a training does: with its work saved."""
    with stop_wish() as wish:
        (folder / "begun").touch()
        while not wish:
            time.sleep(0.01)
        (folder / "saved").touch()
        raise Stopped("stopped")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers import the functions above."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def results(count: int, folder: Path, jobs: list[Job]) -> dict[int, Done]:
    with Processes(count).open(folder) as running:
        done = list(run_jobs(running, jobs, lambda number, told: told > 2, lambda: False))
    return {one.job.number: one for one in done}


def test_a_process_takes_job_after_job(tmp_path: Path) -> None:
    done = results(2, tmp_path, [Job(number, tell_process, (number,)) for number in range(6)])
    assert [done[number].value[1:] for number in range(6)] == [[n, n > 2] for n in range(6)]
    assert len({one.value[0] for one in done.values()} - {os.getpid()}) == 2


def test_an_error_ends_the_job_and_not_the_process(tmp_path: Path) -> None:
    jobs = [Job(0, tell_process, (0,)), Job(1, fail, (7,)), Job(2, tell_process, (2,))]
    done = results(1, tmp_path, jobs)
    assert isinstance(done[1].error, DataError)
    assert str(done[1].error) == "no 7"
    assert done[0].value[0] == done[2].value[0]


def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    jobs = [Job(0, die_once, (0,)), Job(1, die_once, (1,)), Job(2, die, (2,))]
    done = results(2, tmp_path, jobs)
    assert (done[0].value, done[1].value) == (0, 1)
    assert isinstance(done[2].error, WorkerError)
    assert "its process ended 3 times (exit status -9)" in str(done[2].error)


def test_leaving_stops_what_is_under_way(tmp_path: Path) -> None:
    with Processes(1).open(tmp_path) as running:
        running.submit(Job(0, work_until_stopped, (0,)))
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        left = time.monotonic()
    assert time.monotonic() - left < 10
    assert (tmp_path / "saved").exists()


def test_what_a_library_prints_is_no_message(tmp_path: Path) -> None:
    done = results(1, tmp_path, [Job(0, print_below_python, (3,)), Job(1, tell_process, (1,))])
    assert (done[0].value, done[1].value[1]) == (3, 1)


def test_errors_of_any_kind_travel() -> None:
    taken = unpack_error(pack_error(RunTaken("it exists already")))
    assert (type(taken), str(taken)) == (RunError, "it exists already")


def test_a_process_that_says_what_is_no_message_is_replaced(tmp_path: Path) -> None:
    script = tmp_path / "talker.py"
    script.write_text("import sys, time\nprint('no message', flush=True)\ntime.sleep(60)\n")
    running = RunningProcesses(1, tmp_path)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    running._listen(_Worker(process))
    assert running._heard.get(timeout=1)[1] is None
    assert process.returncode == -signal.SIGKILL
    for pipe in (process.stdin, process.stdout):
        assert pipe
        pipe.close()
