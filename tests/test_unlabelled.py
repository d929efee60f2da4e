"""Pictures of a user's own: read as they should be, or refused in one line."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fashioncnn as fc
from fashioncnn.cli import score_tables
from fashioncnn.data import unlabelled
from fashioncnn.errors import DataError
from fashioncnn.photos import files
from fashioncnn.workflows.unknown import unknown


def read_pictures(path: Path) -> NDArray[np.uint8]:
    return unlabelled.read_pictures(path, height=28, width=28, channels=1)[..., 0]


def test_a_folder_of_pictures_becomes_grey_and_small(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    Image.new("RGB", (56, 28), (255, 255, 255)).save(tmp_path / "wide.png")
    Image.new("L", (28, 28), 77).save(tmp_path / "deep" / "er" / "A.JPG")
    (tmp_path / "notes.txt").write_text("no picture")
    images = read_pictures(tmp_path)
    assert images.shape == (2, 28, 28)
    assert images.dtype == np.uint8
    assert (images[0] == 77).all()
    # Twice as wide as high: fitted, with black above and below.
    assert (images[1, 8:20] == 255).all()
    assert (images[1, :6] == 0).all()
    assert (read_pictures(tmp_path / "wide.png")[0] == images[1]).all()


def test_an_idx_file_is_taken_as_it_is(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    path = tmp_path / "mine-idx3-ubyte"
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 3, 28, 28) + images.tobytes())
    np.testing.assert_array_equal(read_pictures(path), images)


def test_what_is_no_picture_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no picture in it"):
        read_pictures(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"words")
    with pytest.raises(DataError, match=r"bad\.png: not a picture, or damaged"):
        read_pictures(tmp_path)
    Image.new("L", (280, 280), 77).save(tmp_path / "bad.png")
    whole = (tmp_path / "bad.png").read_bytes()
    (tmp_path / "bad.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"bad\.png: .*damaged"):
        read_pictures(tmp_path / "bad.png")
    (tmp_path / "bad.png").write_bytes(whole)
    monkeypatch.setattr(files, "MAX_PIXELS", 1000)
    with pytest.raises(DataError, match="280 x 280 pixels; at most 1,000"):
        read_pictures(tmp_path)
    monkeypatch.setattr(unlabelled, "MAX_PICTURES", 0)
    with pytest.raises(DataError, match="more than 0 pictures"):
        read_pictures(tmp_path)
    monkeypatch.undo()
    path = tmp_path / "small-idx3-ubyte"
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 1, 2, 2) + bytes(4))
    with pytest.raises(DataError, match="1 x 2 x 2 elements; pictures are n x 28 x 28"):
        read_pictures(path)


@pytest.mark.usefixtures("tiny_data")
def test_unknown_pictures_of_a_user(run: fc.Run, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for index in range(4):
        Image.new("L", (28, 28), 40 * index).save(folder / f"{index}.png")
    found = unknown(run, folder, device="cpu")
    assert found.n == 4
    for sign in ("probability", "energy"):
        assert 0 <= getattr(found, sign).auroc <= 1
        assert 0 <= getattr(found, sign).false_positive_rate <= 1
    assert f"{found.energy.auroc:.3f}" in score_tables.unknown(found)
    # Asked twice, it is on the page once, beside what else was asked.
    again = unknown(run, folder, device="cpu")
    assert again == found
    other = unknown(run, next(folder.iterdir()), device="cpu")
    page = fc.report(run).read_text()
    assert page.count(f"{folder} ({found.n:,} pictures)") == 1
    assert f"{other.path} (1 pictures)" in page
    assert f"{found.energy.auroc:.3f}" in page


def test_sixteen_bits_and_real_numbers_are_scaled(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 28 * 28).reshape(28, 28)
    Image.fromarray(ramp.astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray((ramp / 65535).astype(np.float32)).save(tmp_path / "b.tiff")
    Image.fromarray((ramp / 257).astype(np.float32)).save(tmp_path / "c.tiff")
    for images in read_pictures(tmp_path):
        np.testing.assert_allclose(images, ramp / 257, atol=1)
    Image.fromarray((ramp - 100).astype(np.float32)).save(tmp_path / "d.tiff")
    with pytest.raises(DataError, match=r"d\.tiff: pixels from -100 to 65435; they must lie in"):
        read_pictures(tmp_path / "d.tiff")


def test_pictures_are_upright_and_black_where_transparent(tmp_path: Path) -> None:
    half = np.zeros((28, 28), np.uint8)
    half[:14] = 200
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(half).save(tmp_path / "a.png", exif=exif)
    assert read_pictures(tmp_path / "a.png")[0, 20:].min() == 200
    see_through = np.full((28, 28, 4), 255, np.uint8)
    see_through[:, :14, 3] = 0
    Image.fromarray(see_through).save(tmp_path / "b.png")
    read = read_pictures(tmp_path / "b.png")[0]
    assert (read[:, :14] == 0).all()
    assert (read[:, 14:] == 255).all()


def test_a_pipe_does_not_keep_us_waiting(tmp_path: Path) -> None:
    for name in ("a.png", "pipe"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="neither a file nor a folder"):
            read_pictures(tmp_path / name)
    with pytest.raises(DataError, match="no picture in it"):
        read_pictures(tmp_path)


def test_names_that_are_no_utf_8(tmp_path: Path, run: fc.Run, tiny_data: None) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    Image.new("L", (28, 28), 77).save(folder / "a.png")
    found = unknown(run, folder, device="cpu")
    assert found.n == 1
    assert unknown(run, folder, device="cpu") == found
    assert "caf" in fc.report(run).read_text()
