"""Files that are too large, or too short, are refused in a line before they are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from fashioncnn.data.idx import read_idx
from fashioncnn.errors import DataError, RecipeError, RunError, StudyError
from fashioncnn.recipes.load import load
from fashioncnn.runs import checkpoints
from fashioncnn.runs.files import read_json
from fashioncnn.tuning import journal


def sparse(path: Path, size: int) -> Path:
    """Make a file of `size` bytes that takes no room."""
    path.touch()
    os.truncate(path, size)
    return path


def test_a_journal(tmp_path: Path) -> None:
    path = sparse(tmp_path / "journal", journal.MAX_BYTES + 1)
    with pytest.raises(StudyError, match="larger than 1,073,741,824 bytes"):
        list(journal.Journal(path).read_logs(0))


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text("[1, 2, 3]")
    assert read_json(path, 9) == [1, 2, 3]
    with pytest.raises(RunError, match="larger than 8 bytes"):
        read_json(path, 8)


def test_a_checkpoint(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, {"model/w": torch.ones(3)}, {"epoch": 1, "step": 0})
    tensors = next(tmp_path.glob("*.safetensors"))
    sparse(tensors, checkpoints.MAX_TENSOR_BYTES + 1)
    with pytest.raises(RunError, match="larger than"):
        checkpoints.load(tmp_path, "last")


def test_a_recipe_of_many_keys(tmp_path: Path) -> None:
    path = tmp_path / "many.toml"
    path.write_text("".join(f"key{number} = 1\n" for number in range(5001)))
    with pytest.raises(RecipeError, match="more than 5,000 keys"):
        load(path)


@pytest.mark.parametrize("header", [b"", b"\0", b"\0\0", b"\0\0\x08", b"\1\2\x08\1"])
def test_half_a_header(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(header)
    with pytest.raises(DataError, match="not an IDX file"):
        read_idx(tmp_path / "images")
