"""What was written outlasts a power cut: file and folder are brought to the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fashioncnn as fc
from fashioncnn.runs import json_lines
from fashioncnn.runs.files import write_bytes
from fashioncnn.tuning.journal import Journal


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes that the system was asked to bring to the disk."""
    inodes: set[int] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        inodes.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return inodes


def test_a_file_and_its_name(tmp_path: Path, synced: set[int]) -> None:
    write_bytes(tmp_path / "file", b"content")
    assert {(tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino} <= synced


def test_a_line(tmp_path: Path, synced: set[int]) -> None:
    json_lines.append(tmp_path / "lines", {"a": 1})
    assert (tmp_path / "lines").stat().st_ino in synced


def test_a_record_of_a_study(tmp_path: Path, synced: set[int]) -> None:
    Journal(tmp_path / "journal").append_logs([{"a": 1}])
    assert (tmp_path / "journal").stat().st_ino in synced


@pytest.mark.usefixtures("tiny_data")
def test_a_run_and_its_name(tiny_recipe: Path, tmp_path: Path, synced: set[int]) -> None:
    run = fc.train(tiny_recipe, out=tmp_path, changes=["training.epochs=1"], device="cpu")
    assert run.path.parent.stat().st_ino in synced
    for path in (run.metrics_file, run.path / "recipe.toml", *run.checkpoints.glob("[!.]*")):
        assert path.stat().st_ino in synced
