from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fashioncnn.data import debian, download, places
from fashioncnn.data.fetch import check, fetch
from fashioncnn.data.identity import FILES
from fashioncnn.errors import DataError, StorageError

pytestmark = pytest.mark.real_data


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about a client that hung up: one test makes it do so."""


@pytest.fixture
def mirror(tmp_path: Path, real_source: places.Place) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "mirror"
    shutil.copytree(real_source.folder, folder)
    server = Server(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", folder
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FASHIONCNN_DATA", raising=False)
    monkeypatch.setattr(places, "SYSTEM_FOLDER", tmp_path / "no-system-copy")
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(debian, "available", lambda: False)


def test_the_second_mirror_helps_when_the_first_has_nothing(mirror: tuple[str, Path]) -> None:
    url, _ = mirror
    said: list[str] = []
    source = fetch(say=said.append, mirrors=[f"{url}nowhere/", url])
    assert source.origin == f"downloaded from {url}"
    assert set(check(source.folder).values()) == {"intact"}
    assert any("404" in line for line in said)


def test_a_damaged_mirror_is_passed_over_and_leaves_nothing(mirror: tuple[str, Path]) -> None:
    url, folder = mirror
    path = folder / f"{FILES[0]}.gz"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DataError, match=r"could not be fetched.*cut short"):
        fetch(mirrors=[url])
    assert not places.cache_folder().exists()
    assert list(places.cache_folder().parent.iterdir()) == []


def test_a_damaged_folder_that_is_named_is_the_only_one_looked_at(
    mirror: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, whole = mirror
    folder = shutil.copytree(whole, tmp_path / "mine")
    monkeypatch.setenv("FASHIONCNN_DATA", str(folder))
    assert fetch().folder == folder
    (folder / f"{FILES[0]}.gz").write_bytes(b"no pictures")
    with pytest.raises(DataError, match=re.escape(FILES[0])):
        fetch(mirrors=[address])


def test_a_cache_that_cannot_be_written_is_said(mirror: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match=rf"^cannot write to {tmp_path}/cache/fashioncnn: "):
        fetch(mirrors=[mirror[0]])


def test_no_connection_is_said_plainly() -> None:
    with pytest.raises(DataError, match="no connection"):
        fetch(mirrors=["http://127.0.0.1:9/"])


def test_an_endless_file_is_refused(
    mirror: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        fetch(mirrors=[mirror[0]])


def test_the_mirrors_are_https_and_two_at_least() -> None:
    assert len(download.MIRRORS) >= 2
    assert all(url.startswith("https://") and url.endswith("/") for url in download.MIRRORS)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs Debian's dpkg-deb")
def test_debians_package_with_lists_of_its_own(
    tmp_path: Path, real_source: places.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(real_source.folder, tree / "usr/share/datasets/fashion-mnist")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: {debian.PACKAGE}\nVersion: 1\nArchitecture: all\n"
        "Maintainer: test <test@example.org>\nDescription: test\n"
    )
    package = tmp_path / f"{debian.PACKAGE}_1_all.deb"
    build = ["dpkg-deb", "-Znone", "--build", str(tree), str(package)]
    subprocess.run(build, check=True, capture_output=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    # Like an apt without package lists: it downloads only after an update into lists of its own.
    (programs / "apt-get").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        'case "$*" in\n'
        f"  *State::Lists*download*) cp {package} . ;;\n"
        "  *State::Lists*update*) ;;\n"
        '  *) echo "E: Unable to locate package" >&2; exit 100 ;;\nesac\n'
    )
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(debian, "available", lambda: True)
    source = fetch(mirrors=[])
    assert "Debian's package" in source.origin
    assert set(check(source.folder).values()) == {"intact"}
    assert len((tmp_path / "calls").read_text().splitlines()) == 3
