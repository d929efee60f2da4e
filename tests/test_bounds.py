"""Files that are too large, or too short, are refused in a line before they are read."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from fashioncnn.data.dataset import DataSet
from fashioncnn.data.idx import read_idx, write_idx
from fashioncnn.errors import DataError, RecipeError, RunError, SpaceError, StudyError
from fashioncnn.recipes.files import parse
from fashioncnn.recipes.load import load
from fashioncnn.runs import checkpoints
from fashioncnn.runs.files import read_json
from fashioncnn.tuning import journal
from fashioncnn.tuning.space import read_space


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


def test_an_idx_file_may_be_as_large_as_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "images"
    write_idx(path, np.zeros((3, 8, 8), np.uint8))
    assert len(read_idx(path, max_bytes=3 * 64).elements) == 3
    with pytest.raises(DataError, match=r"192 elements, but .* can hold at most 191"):
        read_idx(path, max_bytes=3 * 64 - 1)


def test_an_idx_header_is_compared_before_anything_is_read(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(10, dtype=np.uint8))
    images = tmp_path / "train-images-idx3-ubyte"
    with images.open("wb") as file:
        file.write(b"\0\0\x08\3" + struct.pack(">3I", 1_300_000, 28, 28))
        file.truncate(1 << 30)
    with pytest.raises(DataError, match="1,300,000 pictures, but 10 labels in"):
        _ = DataSet(tmp_path).train


DEEP = ".".join(["a"] * 20_000)


QUOTED = ".".join(['"!"', "'a b'"] * 10_000)


@pytest.mark.parametrize(
    "text", [f"{QUOTED} = 1", f"{DEEP} = 1", f"[{DEEP}]", f"a = {{ {DEEP} = 1 }}"]
)
def test_a_key_of_many_parts_is_not_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match="not valid TOML: nested too deeply"):
        load(path)
    with pytest.raises(SpaceError, match="not valid TOML: nested too deeply"):
        read_space(path)


def test_a_change_of_many_parts_is_not_read() -> None:
    with pytest.raises(RecipeError, match="is not a key such as"):
        load("two-conv", {DEEP: 1})


def test_the_faults_of_a_space_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "many.toml"
    unknown = "".join(f"[table{number}]\n" for number in range(2000))
    path.write_text('name = "a"\nrecipe = "two-conv"\nspace.model.dropout = [0.1]\n' + unknown)
    with pytest.raises(SpaceError, match="unknown key table0; allowed") as caught:
        read_space(path)
    assert str(caught.value).endswith("and more")
    assert len(str(caught.value).splitlines()) < 30


def test_texts_and_lists_are_no_deep_keys() -> None:
    many = ", ".join(["0.25"] * 500)
    text = f'a = [{many}]\nb = "{"one. two, " * 300}"\n"c d".e = "{"x" * 100_000}"\n'
    assert parse(text)["c d"]["e"]
