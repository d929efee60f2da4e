"""Pictures of a user's own: read as they should be, or refused in one line."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fashioncnn as fc
from fashioncnn.cli import score_tables
from fashioncnn.data import unlabelled
from fashioncnn.data.unlabelled import read_pictures
from fashioncnn.errors import DataError
from fashioncnn.workflows.unknown import unknown


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
    monkeypatch.setattr(unlabelled, "MAX_PIXELS", 1000)
    with pytest.raises(DataError, match="280 x 280 pixels; at most 1,000"):
        read_pictures(tmp_path)
    monkeypatch.setattr(unlabelled, "MAX_PICTURES", 0)
    with pytest.raises(DataError, match="1 pictures; at most 0"):
        read_pictures(tmp_path)
    path = tmp_path / "small-idx3-ubyte"
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 1, 2, 2) + bytes(4))
    with pytest.raises(DataError, match="1 x 2 x 2 elements; pictures are n x 28 x 28"):
        read_pictures(path)


@pytest.mark.usefixtures("tiny_data")
def test_unknown_pictures_of_a_user(tiny_recipe: Path, tmp_path: Path) -> None:
    run = fc.train(tiny_recipe, out=tmp_path / "runs", device="cpu")
    folder = tmp_path / "mine"
    folder.mkdir()
    for index in range(4):
        Image.new("L", (28, 28), 40 * index).save(folder / f"{index}.png")
    found = unknown(run, folder, device="cpu")
    assert found["n"] == 4
    for sign in ("probability", "energy"):
        assert 0 <= found[sign]["auroc"] <= 1
        assert 0 <= found[sign]["false_positive_rate"] <= 1
    assert f"{found['energy']['auroc']:.3f}" in score_tables.unknown(found)
    # Asked twice, it is on the page once, beside what else was asked.
    again = unknown(run, folder, device="cpu")
    assert again == found
    other = unknown(run, next(folder.iterdir()), device="cpu")
    page = fc.report(run).read_text()
    assert page.count(f"{folder} ({found['n']:,} pictures)") == 1
    assert f"{other['path']} (1 pictures)" in page
    assert f"{found['energy']['auroc']:.3f}" in page
