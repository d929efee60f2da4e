"""A study in a real PostgreSQL or MariaDB, shared by workers of two folders, as by two machines."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fashioncnn.errors import StudyError
from fashioncnn.tuning.open_search import open_search
from fashioncnn.tuning.space import read_space

POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
MARIADB = shutil.which("mariadbd")


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a server of our own on a free port of this machine; answer its address."""
    if not {"postgresql": POSTGRESQL, "mariadb": MARIADB}[request.param]:
        pytest.skip(f"needs Debian's {request.param}")
    # Its path must be short, for the socket, and open to the user that the server runs as.
    folder = Path("/tmp") / f"db-{os.getpid()}-{request.param}"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = {"postgresql": postgresql, "mariadb": mariadb}[request.param]
    try:
        with serve(folder, port) as address:
            yield address
    finally:
        shutil.rmtree(folder)


def as_user(name: str, folder: Path) -> list[str]:
    """Return what lets a command run as `name`, to whom `folder` then belongs."""
    if os.getuid() != 0:
        return []
    shutil.chown(folder, name)
    return ["runuser", "-u", name, "--"]


@contextmanager
def postgresql(folder: Path, port: int) -> Iterator[str]:
    user = as_user("postgres", folder)

    def program(name: str, *words: str) -> None:
        command = [*user, str(POSTGRESQL[-1] / name), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    program("initdb", "-A", "trust", "-U", "tuner")
    listen = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    program("pg_ctl", "-w", "-l", str(folder / "log"), "-o", listen, "start")
    try:
        yield f"postgresql+psycopg://tuner@127.0.0.1:{port}/postgres"
    finally:
        program("pg_ctl", "-m", "immediate", "stop")


@contextmanager
def mariadb(folder: Path, port: int) -> Iterator[str]:
    user, data = as_user("mysql", folder), f"--datadir={folder / 'data'}"
    install = [
        *user,
        "mariadb-install-db",
        "--no-defaults",
        data,
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run(install, check=True, capture_output=True, cwd="/")
    socket_file = folder / "socket"
    options = [f"--port={port}", f"--socket={socket_file}", "--bind-address=127.0.0.1"]
    server = subprocess.Popen(
        [*user, str(MARIADB), "--no-defaults", data, *options],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = ["mariadb", "--no-defaults", f"--socket={socket_file}", "-u", "root", "-e"]
    try:
        until = time.monotonic() + 60
        while subprocess.run([*client, "create database study"], capture_output=True).returncode:
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.2)
        yield f"mysql+pymysql://root@127.0.0.1:{port}/study"
    finally:
        server.terminate()
        server.wait()


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
        assert len(again.outcomes()) == 36


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    space = read_space("two-conv-grid")
    for address in ("postgresql+psycopg://tuner@127.0.0.1:1/x", "nonsense", "oracle://x/y"):
        with (
            pytest.raises(StudyError, match="cannot use"),
            open_search(space, tmp_path, sampler="grid", address=address),
        ):
            pass
