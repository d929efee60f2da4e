"""Data sets of every kind: read back as they were written, and refused in a line."""

from __future__ import annotations

import gzip
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.data.augmentations.shift import Shift
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.idx import write_idx
from fashioncnn.data.images import LabelledImages, check_images
from fashioncnn.data.places import Place
from fashioncnn.data.sources import SOURCES
from fashioncnn.data.sources.base import Part, checked_names
from fashioncnn.data.sources.folders import write_folders
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import DataError, FashionCNNError, StorageError
from fashioncnn.photos import files
from fashioncnn.photos.files import read_picture
from fashioncnn.recipes.fit import channel_statistics, fit

pytestmark = pytest.mark.fast
DIGITS = tuple("0123456789")
NOBODY = 65534


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def digits() -> dict[Part, LabelledImages]:
    """The real digits that scikit-learn ships, 8 x 8, in three splits."""
    images, labels = load_digits(return_X_y=True)
    grey = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    whole = LabelledImages(grey, labels.astype(np.int64), DIGITS)
    turns = np.arange(len(whole)) % 10
    chosen: dict[Part, NDArray[np.bool_]] = {
        "train": turns < 8,
        "validation": turns == 8,
        "test": turns == 9,
    }
    return {part: whole.take(np.flatnonzero(mine)) for part, mine in chosen.items()}


def colours(count: int = 60) -> LabelledImages:
    """Wide pictures in colour: one class five times the two others."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [5 * count // 7, count // 7, count // 7])
    images = random.integers(0, 80, (len(labels), 48, 64, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[10:30, 20:40, label] = 230
    return LabelledImages(images, labels, ("red/warm", "50 % green", "blue"))


def as_idx(folder: Path, parts: dict[Part, LabelledImages]) -> Path:
    for part, pictures in parts.items():
        name = {"train": "train", "validation": "val", "test": "t10k"}[part]
        write_idx(folder / f"{name}-images-idx3-ubyte", pictures.images_NHWC[..., 0])
        write_idx(folder / f"{name}-labels-idx1-ubyte", pictures.labels.astype(np.uint8))
    return folder


def as_csv(folder: Path, parts: dict[Part, LabelledImages]) -> Path:
    for part, pictures in parts.items():
        flat = pictures.images_NHWC.reshape(len(pictures), -1)
        rows = np.column_stack([pictures.labels, flat])
        header = ",".join(["label", *(f"pixel{number}" for number in range(1, rows.shape[1]))])
        path = folder / f"digits_{part}.csv"
        np.savetxt(path, rows, "%d", delimiter=",", header=header, comments="")
    return folder


def as_npz(folder: Path, parts: dict[Part, LabelledImages]) -> Path:
    write_npz(folder / "mine.npz", parts)
    return folder / "mine.npz"


def as_folders(folder: Path, parts: dict[Part, LabelledImages]) -> Path:
    write_folders(folder, parts)
    return folder


WRITERS: dict[str, Callable[[Path, dict[Part, LabelledImages]], Path]] = {
    "idx": as_idx,
    "csv": as_csv,
    "npz": as_npz,
    "folders": as_folders,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_source_gives_back_what_was_written(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    parts = digits()
    data = DataSet(WRITERS[kind](folder, parts))
    assert data.source.kind == kind
    assert data.class_names == DIGITS
    assert data.train.digest == parts["train"].digest
    assert data.test.digest == parts["test"].digest
    assert data.validation is not None
    assert data.validation.digest == parts["validation"].digest
    assert not data.is_fashion_mnist
    assert data.remarks() == []
    claims = DataSet.of(parts["train"], name="Fashion-MNIST")
    assert claims.name == "Fashion-MNIST, not as published"


def test_every_registered_source_is_tested() -> None:
    assert SOURCES.keys() - WRITERS.keys() == {"fashion-mnist"}


@pytest.mark.parametrize("kind", ["npz", "folders"])
def test_colour_of_any_size_and_odd_names(kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pictures = colours()
    data = DataSet(WRITERS[kind](tmp_path / "data", {"train": pictures, "test": pictures}))
    assert data.train.digest == pictures.digest
    assert data.shape == (3, 48, 64)


def test_a_test_split_is_made_in_proportion_and_always_the_same() -> None:
    pictures = colours(700)
    data, again = (DataSet.of(pictures) for _ in range(2))
    assert data.test.counts().tolist() == [72, 14, 14]
    assert data.train.counts().tolist() == [428, 86, 86]
    assert (data.train.digest, data.test.digest) == (again.train.digest, again.test.digest)
    assert "100 are set aside" in data.remarks()[0]
    both = np.concatenate([data.train.images_NHWC, data.test.images_NHWC])
    assert len(np.unique(both.reshape(len(both), -1), axis=0)) == len(pictures)


def test_a_folder_as_people_have_it(tmp_path: Path) -> None:
    """Sizes, kinds and colours mixed; files that are none are left out and named."""
    for name, shade in (("cats", 200), ("dogs", 90)):
        folder = tmp_path / "pets" / name
        folder.mkdir(parents=True)
        for number in range(6):
            size = (40 + 10 * number, 60)
            Image.new("RGB", size, (shade, 20 * number, 10)).save(folder / f"{number}.jpg")
        Image.new("L", (30, 30), shade).save(folder / "grey.png")
        Image.new("RGBA", (30, 30), (shade, 1, 2, 128)).save(folder / "through.png")
    (tmp_path / "pets" / "dogs" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "pets" / "cats" / "notes.txt").write_text("words")
    (tmp_path / "pets" / ".hidden").mkdir()
    data = DataSet(tmp_path / "pets")
    assert data.class_names == ("cats", "dogs")
    assert data.shape == (3, 28, 28)
    assert data.train.counts().sum() + data.test.counts().sum() == 16
    left_out = data.remarks()
    assert sum("broken.png: not a picture" in line for line in left_out) == 1
    assert sum("notes.txt: not a picture" in line for line in left_out) == 1
    large = DataSet(tmp_path / "pets", (40, 50))
    assert large.shape == (3, 40, 50)
    assert large.source.mixed


def test_what_was_decoded_is_found_again_by_content(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"]})
    first = DataSet(tmp_path).train.digest
    (kept,) = (tmp_path / "cache" / "fashioncnn" / "pictures").glob("[!.]*")
    changed = kept.stat().st_mtime_ns
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "train").rename(moved / "train")
    (tmp_path / "classes.txt").rename(moved / "classes.txt")
    assert DataSet(moved).train.digest == first
    assert kept.stat().st_mtime_ns == changed
    (picture,) = (moved / "train" / "3").glob("000003.png")
    Image.new("L", (8, 8), 7).save(picture)
    assert DataSet(moved).train.digest != first
    assert len(list(kept.parent.glob("[!.]*"))) == 2


def opened(folder: Path) -> tuple[str, int]:
    """Return the digest of a folder's pictures, and how many files were read for it."""
    read = 0

    def progress(items: Iterable[Any], count: int, words: str) -> Iterable[Any]:
        nonlocal read
        read += count if words == "reading pictures" else 0
        return items

    data = DataSet(folder)
    data.source.progress = progress
    return data.train.digest, read


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    few = digits()["train"].take(np.arange(200))
    write_folders(folder, {"train": few})
    count = len(few)
    first, read = opened(folder)
    assert read == count
    time.sleep(2.1)
    opened(folder)
    assert opened(folder) == (first, 0)
    # What has just been written may change within the same tick of the clock.
    picture = folder / "train" / "3" / "000003.png"
    picture.touch()
    assert opened(folder) == (first, 1)
    assert opened(folder) == (first, 1)
    time.sleep(2.1)
    assert opened(folder) == (first, 1)
    assert opened(folder) == (first, 0)

    # Other pixels, and the same size and time: when a file last changed at all cannot be set.
    before = picture.stat()
    Image.new("L", (8, 8), 7).save(picture)
    picture.write_bytes(picture.read_bytes().ljust(before.st_size, b"\0")[: before.st_size])
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "train" / "4" / "new.png").write_bytes(picture.read_bytes())
    changed, read = opened(folder)
    assert changed != first
    assert read == 2

    (index,) = (tmp_path / "cache" / "fashioncnn" / "known-files").glob("*.npy")
    whole = index.read_bytes()
    huge = whole.replace(b"'shape': (%d,)" % (count - 1), b"'shape': (9999999999,)")
    assert huge != whole
    for damaged in (b"", whole[:200], b"\0" * 500, b"\x93NUMPY\x01\x00v\x00{}", b"PK", huge):
        index.write_bytes(damaged)
        assert opened(folder) == (changed, count + 1)


@pytest.mark.parametrize("name", ["train_images.npy", "train_labels.npy", "left_out.json"])
def test_a_damaged_cache_is_made_anew(name: str, tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"].take(np.arange(200))})
    first = DataSet(tmp_path).train.digest
    (kept,) = (tmp_path / "cache" / "fashioncnn" / "pictures").glob("[!.]*")
    whole = (kept / name).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\0" * len(whole)):
        (kept / name).write_bytes(damaged)
        assert DataSet(tmp_path).train.digest == first
        assert (kept / name).read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"].take(np.arange(100))})
    (tmp_path / "cache" / "fashioncnn").mkdir(parents=True)
    place = tmp_path / "cache" / "fashioncnn" / "pictures"
    place.write_text("a file where a folder should be")
    with pytest.raises(StorageError, match=rf"^cannot write {place}/\w+: "):
        _ = DataSet(tmp_path).train


def test_as_many_pictures_as_fashion_mnist_has_are_not_fashion_mnist(tmp_path: Path) -> None:
    names = tuple(str(number) for number in range(10))
    images, labels = np.zeros((60_000, 8, 8, 1), np.uint8), np.arange(60_000) % 10
    pictures = LabelledImages(images, labels, names)
    write_npz(tmp_path / "many.npz", {"train": pictures, "test": pictures.take(np.arange(10))})
    data = DataSet(tmp_path / "many.npz")
    assert not data.is_fashion_mnist
    assert data.class_names == names


def test_grey_pictures_are_written_as_medmnist_ships_them(tmp_path: Path) -> None:
    write_npz(tmp_path / "grey.npz", digits())
    write_npz(tmp_path / "colour.npz", {"train": colours()})
    with np.load(tmp_path / "grey.npz") as grey, np.load(tmp_path / "colour.npz") as colour:
        assert grey["train_images"].ndim == 3
        assert colour["train_images"].shape[3:] == (3,)


@pytest.mark.parametrize("sides", [(7, 28), (28, 7), (225, 28), (28, 225)])
def test_pictures_have_bounds(sides: tuple[int, int]) -> None:
    images, labels = np.zeros((2, *sides, 1), np.uint8), np.zeros(2, np.int64)
    with pytest.raises(DataError, match=f"pictures of {sides[0]} x {sides[1]} pixels; 8 to 224 a"):
        LabelledImages(images, labels, ("one", "other"))


def test_classes_may_be_called_as_splits_are(tmp_path: Path) -> None:
    for name in ("train", "plane", "test", ".hidden"):
        (tmp_path / "toys" / name).mkdir(parents=True)
        for number in range(7):
            Image.new("L", (9, 9), number).save(tmp_path / "toys" / name / f"{number}.png")
    data = DataSet(tmp_path / "toys")
    assert data.class_names == ("plane", "test", "train")
    assert data.source.parts == ("train",)


def test_names_that_folders_cannot_have_come_back(tmp_path: Path) -> None:
    names = (".dotted", "..", "a/b", "%2F", "../../up")
    images, labels = np.zeros((10, 8, 8, 1), np.uint8), np.arange(10) % 5
    write_folders(tmp_path, {"train": LabelledImages(images, labels, names)})
    data = DataSet(tmp_path)
    assert data.class_names == names
    assert sorted(data.brought()["train"].labels) == sorted(labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "classes.txt", "train"]


def test_keras_and_medmnist_and_gzip(tmp_path: Path) -> None:
    train, test = digits()["train"], digits()["test"]
    grey = train.images_NHWC[..., 0]
    np.savez(tmp_path / "keras.npz", x_train=grey, y_train=train.labels)
    np.savez(
        tmp_path / "med.npz",
        train_images=np.repeat(train.images_NHWC, 3, axis=3),
        train_labels=train.labels[:, None].astype(np.uint8),
        test_images=np.repeat(test.images_NHWC, 3, axis=3),
        test_labels=test.labels[:, None],
    )
    assert len(DataSet(tmp_path / "keras.npz").train) == round(6 / 7 * len(train))
    assert DataSet(tmp_path / "med.npz").shape == (3, 8, 8)
    folder = tmp_path / "idx"
    folder.mkdir()
    for path in list(as_idx(folder, digits()).iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert DataSet(folder).train.digest == train.digest


@pytest.mark.parametrize("missing", [1, 2])
def test_every_label_of_idx_files_has_a_name(missing: int, tmp_path: Path) -> None:
    as_idx(tmp_path, {"train": digits()["train"], "test": digits()["test"]})
    (tmp_path / "classes.txt").write_text("\n".join(DIGITS[:-missing]))
    with pytest.raises(DataError, match=f"names {10 - missing} classes, and there are labels up"):
        _ = DataSet(tmp_path).train


def test_emnist_has_letters_by_its_mapping(tmp_path: Path) -> None:
    pictures = make_pictures(40)
    for stem, part in (("emnist-letters", "train"), ("emnist-letters", "test")):
        images = pictures.images_NHWC[..., 0]
        write_idx(tmp_path / f"{stem}-{part}-images-idx3-ubyte", images)
        labels = (pictures.labels + 1).astype(np.uint8)
        write_idx(tmp_path / f"{stem}-{part}-labels-idx1-ubyte", labels)
    lines = (f"{number} {64 + number} {96 + number}\n" for number in range(1, 27))
    (tmp_path / "emnist-letters-mapping.txt").write_text("".join(lines))
    # Those of the other sets, which come in the same archive, are not its.
    others = (f"{number} {47 + number}\n" for number in range(1, 27))
    (tmp_path / "emnist-balanced-mapping.txt").write_text("".join(others))
    data = DataSet(tmp_path / "emnist-letters")
    assert data.class_names[:3] == ("A/a", "B/b", "C/c")
    np.testing.assert_array_equal(data.train.labels, pictures.labels)
    write_idx(tmp_path / "emnist-digits-train-images-idx3-ubyte", images)
    with pytest.raises(DataError, match=r"several data sets \(emnist-digits, emnist-letters\)"):
        _ = DataSet(tmp_path).source


def test_a_part_of_a_name_is_no_name_of_idx_files(tmp_path: Path) -> None:
    """What lies beside IDX files is not taken for them."""
    as_idx(tmp_path, digits())
    for name in ("cat", "dog"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (9, 9), number).save(tmp_path / "train" / name / f"{number}.png")
    assert DataSet(tmp_path / "train").class_names == ("cat", "dog")
    with pytest.raises(DataError, match="nothing is there"):
        _ = DataSet(tmp_path / "tr").source


def test_kaggles_table_of_names_beside_folders_is_left_alone(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"]})
    (tmp_path / "train.csv").write_text("id,label\n0.png,cat\n1.png,dog\n")
    assert DataSet(tmp_path).source.kind == "folders"
    # Folders without pictures are nothing.
    csv = as_csv(tmp_path / "train" / "0", {"train": digits()["train"]})
    (csv / "train" / "logs").mkdir(parents=True)
    assert DataSet(csv).source.kind == "csv"


def test_pictures_that_belong_to_no_class_are_said(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"]})
    (tmp_path / "test").mkdir()
    nested = tmp_path / "train" / "0" / "more"
    nested.mkdir()
    for folder in (tmp_path / "test", nested):
        Image.new("L", (8, 8)).save(folder / "a.png")
    remarks = DataSet(tmp_path).remarks()
    assert f"left out: {tmp_path / 'test'}: pictures beside the splits, in no class's folder" in (
        remarks
    )
    assert f"left out: {nested}: pictures in a folder within a class's" in remarks


def test_what_is_no_picture_of_a_class_is_said(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": digits()["train"]})
    (tmp_path / "train" / "zed").mkdir()
    (tmp_path / "classes.txt").unlink()
    dead = tmp_path / "train" / "0" / "dead.png"
    dead.symlink_to(tmp_path / "nowhere")
    odd = fc.show_data(tmp_path).odd
    assert f"left out: {tmp_path / 'train' / 'zed'}: a class's folder without a picture" in odd
    assert f"left out: {dead}: neither a file nor a folder" in odd


def test_images_without_labels_are_said(tmp_path: Path) -> None:
    pictures = digits()["train"]
    write_idx(tmp_path / "train-images-idx3-ubyte", pictures.images_NHWC[..., 0])
    write_idx(tmp_path / "train-labels-idx1-ubyte", pictures.labels.astype(np.uint8))
    alone = tmp_path / "t10k-images-idx3-ubyte"
    write_idx(alone, pictures.images_NHWC[:9, :, :, 0])
    assert f"left out: {alone}: images or labels without the other" in DataSet(tmp_path).remarks()


def test_classes_that_a_split_lacks_are_said() -> None:
    labels = np.repeat(np.arange(3), [40, 1, 40]).astype(np.int64)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 8, 8, 1), np.uint8)
    few = DataSet.of(LabelledImages(images, labels, ("a", "b", "c")))
    assert few.train.counts().tolist()[1] == 1
    assert "no test picture of b" in few.remarks()


def test_one_picture_in_two_classes_is_odd(tmp_path: Path) -> None:
    train = digits()["train"]
    labels = train.labels.copy()
    labels[1] = (labels[0] + 1) % 10
    images = train.images_NHWC.copy()
    images[1] = images[0]
    write_npz(tmp_path / "a.npz", {"train": LabelledImages(images, labels, DIGITS)})
    assert "1 pictures are in more than one class" in fc.show_data(tmp_path / "a.npz").odd


def test_a_damaged_or_unknown_file_changes_no_size(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(8):
            image = Image.fromarray(random.integers(0, 256, (32, 32), np.uint8))
            image.save(tmp_path / "pets" / name / f"{number}.png")
    large = Image.fromarray(random.integers(0, 256, (64, 64), np.uint8))
    large.save(tmp_path / "pets" / "cat" / "half.jpg")
    half = tmp_path / "pets" / "cat" / "half.jpg"
    half.write_bytes(half.read_bytes()[:2000])
    large.save(tmp_path / "pets" / "dog" / "other.ppm")
    data = DataSet(tmp_path / "pets")
    assert data.shape == (1, 32, 32)
    assert not data.source.mixed
    assert f"left out: {half}: not a picture, or damaged" in data.remarks()
    # What was decoded is found again where the same files lie; they are called as they are now.
    (tmp_path / "pets").rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "cat" / "half.jpg"
    assert f"left out: {moved}: not a picture, or damaged" in DataSet(tmp_path / "moved").remarks()
    large.save(moved)
    assert DataSet(tmp_path / "moved").source.mixed


@pytest.mark.parametrize(
    "first", [b"\xef\xbb\xbf", b"%s\n" % b",".join(b"%d" % n for n in range(65))]
)
def test_what_editors_and_pandas_put_first_costs_no_picture(first: bytes, tmp_path: Path) -> None:
    pictures = digits()["train"]
    path = as_csv(tmp_path, {"train": pictures}) / "digits_train.csv"
    lines = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first + lines[lines[0].startswith(b"label")])
    assert DataSet(tmp_path).brought()["train"].digest == pictures.digest


def test_classes_as_windows_writes_them(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": colours()})
    names = (tmp_path / "classes.txt").read_text().splitlines()
    (tmp_path / "classes.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(names).encode() + b"\r\n")
    assert DataSet(tmp_path).class_names == tuple(names)


def test_names_of_classes_have_no_spaces_at_their_ends(tmp_path: Path) -> None:
    few = digits()["train"].take(np.arange(100))
    grey, labels = few.images_NHWC[..., 0], few.labels % 2
    given = np.array([" a", "b "]), np.array([b"a", b"b"]), np.array([["a"], ["b"]])
    for number, names in enumerate(given):
        path = tmp_path / f"{number}.npz"
        np.savez(path, train_images=grey, train_labels=labels, class_names=names)
        assert DataSet(path).class_names == ("a", "b")
        fc.import_data(path, tmp_path / f"written-{number}")
    (tmp_path / "written-0" / "train" / "a").rename(tmp_path / "written-0" / "train" / " a ")
    assert DataSet(tmp_path / "written-0").class_names == ("a", "b")


def test_splits_without_pictures_are_none(tmp_path: Path) -> None:
    train, nothing = digits()["train"], digits()["train"].take(np.arange(0))
    as_idx(tmp_path, {"train": train, "test": nothing})
    for place in (as_npz(tmp_path, {"train": train, "test": nothing}), tmp_path):
        data = DataSet(place)
        assert data.source.parts == ("train",)
        assert len(data.test) == round(len(train) / 7)
        assert "test, which has no pictures" in data.remarks()[0]
        with pytest.raises(DataError, match="no picture for train"):
            _ = DataSet(as_npz(tmp_path, {"train": nothing, "test": train})).source
    two = LabelledImages(np.zeros((2, 8, 8, 1), np.uint8), np.arange(2), ("a", "b"))
    assert len(DataSet.of(two).test) == 1


def test_splits_of_two_sizes_are_refused(tmp_path: Path) -> None:
    larger = LabelledImages(np.zeros((4, 9, 9, 1), np.uint8), np.arange(4), DIGITS)
    data = DataSet(as_npz(tmp_path, {"train": digits()["train"], "test": larger}))
    with pytest.raises(DataError, match="for test are grey, 9 x 9, those for train grey, 8 x 8"):
        _ = data.test


def test_what_folders_cannot_hold_is_not_imported(tmp_path: Path) -> None:
    """Grey pictures in three channels come back in one."""
    grey = digits()["train"]
    three = LabelledImages(np.repeat(grey.images_NHWC, 3, axis=3), grey.labels, DIGITS)
    source = as_npz(tmp_path, {"train": three})
    with pytest.raises(DataError, match=r"choose a name that ends in \.npz"):
        fc.import_data(source, tmp_path / "folders")
    assert not (tmp_path / "folders").exists()
    assert fc.import_data(source, tmp_path / "again.npz").brought()["train"].digest == three.digest


def test_another_size_is_only_for_folders(tmp_path: Path) -> None:
    source = as_npz(tmp_path, {"train": digits()["train"]})
    with pytest.raises(DataError, match="these pictures have a size"):
        fc.import_data(source, tmp_path / "small.npz", size=(14, 14))


def test_more_classes_than_a_byte_counts_are_not_fashion_mnist(tmp_path: Path) -> None:
    images, labels = np.zeros((60_000, 8, 8, 1), np.uint8), np.arange(60_000) % 300
    names = tuple(map(str, range(300)))
    path = as_npz(tmp_path, {"train": LabelledImages(images, labels, names)})
    assert DataSet(path).class_names == names


def bad(name: str, folder: Path) -> Path:
    """Make something that is no data set."""
    labels, images = np.array([1, 2, 1, 2], np.uint8), np.zeros((4, 8, 8), np.uint8)
    path = folder / name
    if name == "empty":
        path.mkdir()
    elif name == "one class":
        (path / "only").mkdir(parents=True)
        Image.new("L", (8, 8)).save(path / "only" / "a.png")
    elif name == "too deep":
        (path / "train" / "a" / "b").mkdir(parents=True)
        Image.new("L", (8, 8)).save(path / "train" / "a" / "b" / "c.png")
    elif name == "labels from 1":
        path.mkdir()
        write_idx(path / "train-images-idx3-ubyte", images)
        write_idx(path / "train-labels-idx1-ubyte", labels)
    elif name == "floats":
        path.mkdir()
        write_idx(path / "train-labels-idx1-ubyte", labels - 1)
        (path / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 13, 3]) + bytes(12))
    elif name == "no labels.npz":
        np.savez(path, train_images=images)
    elif name == "fractions.npz":
        np.savez(path, train_images=images / 2, train_labels=labels - 1)
    elif name == "pickled.npz":
        np.savez(path, train_images=images, train_labels=np.array([{}, 1, 2, 3], object))
    elif name == "short row.csv":
        path.write_text("0,1,2,3,4\n1,2,3\n")
    elif name == "words.csv":
        path.write_text("label,a,b,c,d\n0,1,2,x,4\n1,2,3,4,5\n")
    elif name == "not square.csv":
        path.write_text("0,1,2\n1,2,3\n")
    elif name == "tiny.csv":
        path.write_text("0,1\n1,2\n")
    elif name == "loop":
        path.symlink_to(path)
    elif name == "missing":
        pass
    elif name == "huge":
        for one in ("a", "b"):
            (path / one).mkdir(parents=True)
            Image.new("1", (70_000, 1000)).save(path / one / "panorama.png")
    elif name == "drawing":
        for one in ("a", "b"):
            (path / one).mkdir(parents=True)
            (path / one / "x.svg").write_text("<svg/>")
    elif name == "two names":
        for one in ("val", "validation"):
            (path / one / "a").mkdir(parents=True)
            Image.new("L", (8, 8)).save(path / one / "a" / "x.png")
    elif name == "odd name.npz":
        names = np.array(["a", "b\nc"])
        np.savez(path, train_images=images, train_labels=labels - 1, class_names=names)
    elif name == "objects.npz":
        names = np.array(["a", "b"], object)
        np.savez(path, train_images=images, train_labels=labels - 1, class_names=names)
    elif name == "numbers.npz":
        names = np.arange(2) / 2
        np.savez(path, train_images=images, train_labels=labels - 1, class_names=names)
    elif name == "many.npz":
        np.savez(path, train_images=images, train_labels=np.arange(3))
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "no pictures that are known"),
        ("one class", "1 classes; 2 to 1,000 are needed"),
        ("too deep", "nested too deep"),
        ("labels from 1", "its labels are 1, 2; they must be 0, 1, 2"),
        ("floats", "type 0x0d; only 0x08"),
        ("no labels.npz", "without train_labels"),
        ("fractions.npz", "train_images is float64"),
        ("pickled.npz", "damaged"),
        ("many.npz", "4 pictures but 3 labels"),
        ("short row.csv", "line 2 has 3 numbers, the first 5"),
        ("words.csv", "holds what is no whole number (string 'x')"),
        ("not square.csv", "2 pixels a line are no square picture"),
        ("tiny.csv", "1 x 1 pixels; 8 to 224 a side"),
        ("loop", "nothing is there"),
        ("missing", "nothing is there"),
        ("huge", "70000 x 1000 pixels; at most 50,000,000"),
        ("drawing", "no pictures that are known"),
        ("two names", "two folders for validation"),
        ("odd name.npz", "1 to 200 printable characters"),
        ("objects.npz", "damaged"),
        ("numbers.npz", "class_names is float64 (2,); it must be text (n,)"),
    ],
)
def test_bad_input_is_one_line(name: str, words: str, tmp_path: Path) -> None:
    path = bad(name, tmp_path)
    with pytest.raises(FashionCNNError) as caught:
        _ = DataSet(path).train
    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (8, 225)])
def test_sizes_that_are_not_allowed_are_named(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=f"pictures of {size[0]} x {size[1]} pixels; 8 to 224 a"):
        check_images(np.zeros((1, *size, 1), np.uint8))
    check_images(np.zeros((1, 8, 224, 3), np.uint8))


@pytest.mark.parametrize(("letters", "usable"), [(1, True), (200, True), (201, False)])
def test_class_names_have_up_to_200_characters(letters: int, usable: bool, tmp_path: Path) -> None:
    names = ("a" * letters, "b")
    if usable:
        assert checked_names(names, tmp_path) == names
    else:
        with pytest.raises(DataError, match="1 to 200 printable characters"):
            checked_names(names, tmp_path)


def test_folders_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="no pictures that are known"):
        _ = DataSet(tmp_path / "pipe").source


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_folder_without_the_right_to_read_it_is_said() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Others may enter this one, not those of pytest.
        Path(folder).chmod(0o755)
        source = Path(folder) / "pictures"
        source.mkdir()
        write_folders(source, digits())
        assert DataSet(source).class_names == DIGITS
        for locked in (source / "train" / "3", source / "train", source):
            locked.chmod(0)
            os.seteuid(NOBODY)
            try:
                with pytest.raises(StorageError, match=f"cannot read {locked}: Permission denied"):
                    _ = DataSet(source).source
            finally:
                os.seteuid(0)
                locked.chmod(0o755)


def test_a_recipe_is_fitted_to_the_data() -> None:
    data = DataSet.of(colours(700))
    changes = {"data.image_size": "data", "data.pixel_mean": "data", "data.pixel_std": "data"}
    fitted, remarks = fit(fc.load_recipe("two-conv", changes), data)
    assert fitted.data.size == (48, 64)
    pixels = data.train.images_NHWC / 255
    assert fitted.data.pixel_mean == pytest.approx(pixels.mean((0, 1, 2)), abs=1e-6)
    assert fitted.data.pixel_std == pytest.approx(pixels.std((0, 1, 2)), abs=1e-6)
    assert fitted.data.validation_images == 50
    assert fitted.reported is None
    assert ["50 are set aside" in line for line in remarks].count(True) == 1
    assert fit(fitted, data) == (fitted, [])


def test_of_fashion_mnist_any_part_may_be_left_to_train_on(real_source: Place) -> None:
    recipe = fc.load_recipe("two-conv", {"data.validation_images": 59_999})
    assert fit(recipe, DataSet(real_source.folder)) == (recipe, [])


def test_what_does_not_fit_is_said_before_training() -> None:
    _, remarks = fit(fc.load_recipe("fast-93"), DataSet.of(colours(70)))
    assert ["shrunk to 28 x 28" in line for line in remarks] == [True]
    _, remarks = fit(fc.load_recipe("fast-93"), DataSet.of(digits()["train"]))
    assert ["if these are digits" in line for line in remarks] == [True]
    fitted, remarks = fit(fc.load_recipe("photo"), DataSet.of(digits()["train"]))
    assert fitted.settings()["loss"]["class_weights"] == {}
    assert fit(fc.load_recipe("fast-93"), DataSet.of(digits()["train"]))[0].promise is None
    for key in ("loss.class_weights", "augmentation.by_class"):
        assert f"{key} is for classes that these pictures do not have: left out" in remarks


def test_a_channel_that_never_varies_can_be_divided_by() -> None:
    pictures = LabelledImages(np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1]), ("a", "b"))
    means, stds = channel_statistics(pictures)
    assert means == [0]
    assert stds == pytest.approx([1 / 255], abs=1e-6)


def test_a_label_below_zero_is_no_heading(tmp_path: Path) -> None:
    row = ",".join(["3"] * 64)
    path = tmp_path / "below.csv"
    path.write_text(f"-1,{row}\n0,{row}\n\n1,{row},5\n")
    with pytest.raises(DataError, match=r"line 4 has 66 numbers, the first 65"):
        _ = DataSet(path).train
    path.write_text(f"-1,{row}\n0,{row}\n1,{row}\n")
    with pytest.raises(DataError, match=r"its labels are -1, 0, 1"):
        _ = DataSet(path).train


def test_threads_that_decode_leave_warnings_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    Image.new("L", (8, 8)).save(path)
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read_picture, [path] * 200))
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="still shown"):
        warnings.warn("still shown", stacklevel=1)


def test_a_picture_file_has_its_bounds_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.jpg"
    Image.new("L", (8, 8)).save(path)
    path.write_bytes(path.read_bytes() + b"\xff\xda\0\x08\1" * 101)
    with pytest.raises(DataError, match=r"one\.jpg: more than 100 scans"):
        read_picture(path)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 500)
    with pytest.raises(DataError, match=r"one\.jpg: larger than 500 bytes"):
        read_picture(path)


def test_an_empty_part_of_a_batch_is_shifted() -> None:
    empty = torch.zeros(0, 1, 8, 8, dtype=torch.uint8)
    assert Shift().change(empty, torch.zeros(0, 2), torch.zeros(0)).shape == empty.shape


def test_arrays_that_are_not_used_are_said(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    images, labels = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
    others = {"test_images": images, "validation_images": images}
    np.savez(path, train_images=images, train_labels=labels, **others)  # type: ignore[arg-type]
    assert [line.rpartition(": ")[2] for line in DataSet(path).source.left_out] == [
        "test_images, which has no labels",
        "validation_images, an unknown array",
    ]
