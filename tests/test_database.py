"""A study in a real PostgreSQL, shared by workers of two folders, as by two machines."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashioncnn.errors import StudyError
from fashioncnn.tuning.search import open_search
from fashioncnn.tuning.space import read_space

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(not PROGRAMS, reason="needs Debian's package postgresql")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server of our own on a free port of this machine; answer its address."""
    # Its path must be short, for the socket, and open to the user that the server runs as.
    folder = Path("/tmp") / f"pg-{os.getpid()}"
    folder.mkdir()
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def program(name: str, *words: str) -> None:
        command = [*as_user, str(PROGRAMS[-1] / name), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    program("initdb", "-A", "trust", "-U", "tuner")
    listen = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    program("pg_ctl", "-w", "-l", str(folder / "log"), "-o", listen, "start")
    try:
        yield f"postgresql+psycopg://tuner@127.0.0.1:{port}/postgres"
    finally:
        program("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_two_machines_share_a_grid(database: str, tmp_path: Path) -> None:
    space = read_space("two-conv-grid")
    told: list[str] = []
    with (
        open_search(space, tmp_path / "a", sampler="grid", address=database) as one,
        open_search(space, tmp_path / "b", sampler="grid", address=database) as other,
    ):
        searches = [one, other]
        while searches:
            search = searches.pop(0)
            if trial := search.next():
                told.append(str(trial.setting))
                search.complete(trial.number, [0.5], ["somewhere"])
                searches.append(search)
    assert sorted(told) == sorted(map(str, space.grid()))
    with open_search(space, tmp_path / "c", sampler="grid", address=database) as again:
        assert again.next() is None
        assert len(again.answered()) == 36


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    space = read_space("two-conv-grid")
    for address in ("postgresql+psycopg://tuner@127.0.0.1:1/x", "nonsense", "oracle://x/y"):
        with (
            pytest.raises(StudyError, match="cannot use"),
            open_search(space, tmp_path, sampler="grid", address=address),
        ):
            pass
