from __future__ import annotations

import gzip
import random
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from fashioncnn.data.idx import read_idx, write_idx
from fashioncnn.errors import DataError, StorageError

pytestmark = pytest.mark.fast


def header(*sizes: int, kind: int = 8) -> bytes:
    return bytes((0, 0, kind, len(sizes))) + struct.pack(f">{len(sizes)}I", *sizes)


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 5, 6), (0, 28, 28)])
@pytest.mark.parametrize("packed", [False, True])
def test_reads_what_was_written(tmp_path: Path, shape: tuple[int, ...], packed: bool) -> None:
    elements = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / "file"
    write_idx(path, elements)
    plain = read_idx(path).sha256
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    read = read_idx(path)
    np.testing.assert_array_equal(read.elements, elements)
    assert read.sha256 == plain


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an IDX file"),
        (b"PK\3\4 a zip", "not an IDX file"),
        (header(4, kind=13) + bytes(16), "type 0x0d"),
        (header(2, 3)[:7], "ends inside its header"),
        (header(1, 1, 1, 1) + bytes(1), "not an IDX file"),
        (header(10) + bytes(9), "can hold at most"),
        (header(10) + bytes(11), "more than the 10"),
        (header(2**32 - 1, 28, 28), "can hold at most"),
        (gzip.compress(header(10) + bytes(9), mtime=0), "cut short"),
        (gzip.compress(header(10) + bytes(11), mtime=0), "more than the 10"),
        (
            gzip.compress(header(4000) + random.Random(0).randbytes(4000), mtime=0)[:-30],
            "cut short",
        ),
        (gzip.compress(header(2**32 - 1, 28, 28), mtime=0), "can hold at most"),
        (b"\x1f\x8b not really gzip", "cut short or damaged"),
    ],
)
def test_refuses_wrong_files_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        read_idx(tmp_path / "nothing")


def test_a_gzip_bomb_is_refused_fast(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(header(100))
        for _ in range(256):
            file.write(bytes(1 << 20))
    started = time.perf_counter()
    with pytest.raises(DataError, match="more than"):
        read_idx(path)
    assert time.perf_counter() - started < 1


def test_a_thousand_mutants_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_idx(path, np.arange(200, dtype=np.uint8).reshape(2, 10, 10))
    plain = path.read_bytes()
    chance = random.Random(1)
    refused = 0
    for original in (plain, gzip.compress(plain, mtime=0)):
        for _ in range(500):
            mutant = bytearray(original)
            for _ in range(chance.randint(1, 4)):
                mutant[chance.randrange(len(mutant))] = chance.randrange(256)
            if chance.random() < 0.3:
                del mutant[chance.randrange(len(mutant)) :]
            path.write_bytes(mutant)
            try:
                read_idx(path)
            except DataError:
                refused += 1
    assert refused > 500
