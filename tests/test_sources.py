from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from fashioncnn.data import identity, places
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.fetch import check, fetch
from fashioncnn.data.idx import IdxFile, read_idx, write_idx
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.errors import DataError

pytestmark = pytest.mark.real_data


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache" / "fashioncnn" / "fashion-mnist"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FASHIONCNN_DATA", raising=False)
    return cache


@pytest.fixture
def no_system_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "SYSTEM_FOLDER", tmp_path / "no-system-copy")


@pytest.fixture
def copy(tmp_path: Path, real_source: places.Place) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(real_source.folder, folder)
    return folder


def test_the_real_data_is_what_it_should_be(real_source: places.Place) -> None:
    data = DataSet(real_source.folder)
    train, test = data.train, data.test
    assert data.is_fashion_mnist
    assert train.images_NHWC.shape == (60_000, 28, 28, 1)
    assert test.images_NHWC.shape == (10_000, 28, 28, 1)
    assert np.bincount(train.labels).tolist() == [6000] * 10
    # The published statistics of the training pixels.
    assert train.images_NHWC.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert train.images_NHWC.std() / 255 == pytest.approx(0.3530, abs=5e-5)


def test_they_say_who_named_their_folder(
    real_source: places.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.ENVIRONMENT_VARIABLE, str(real_source.folder))
    by_variable, by_option = DataSet().source, DataSet(real_source.folder).source
    assert isinstance(by_variable, FashionMNIST)
    assert isinstance(by_option, FashionMNIST)
    assert by_variable.origin == places.ENVIRONMENT_VARIABLE
    assert by_option.origin != places.ENVIRONMENT_VARIABLE


def test_they_are_recognised_in_any_order_and_form(real_source: places.Place) -> None:
    real, digits = DataSet(real_source.folder), tuple("0123456789")
    order = np.random.default_rng(0).permutation(60_000)
    mixed = LabelledImages(real.train.images_NHWC[order], real.train.labels[order], digits)
    test = LabelledImages(real.test.images_NHWC, real.test.labels.copy(), digits)
    data = DataSet.of(mixed, test)
    assert data.name == "Fashion-MNIST"
    assert data.train.class_names == data.test.class_names == real.class_names
    test.labels[0] = (test.labels[0] + 1) % 10
    with pytest.raises(DataError, match="those for test are not"):
        _ = DataSet.of(mixed, test).test
    mixed.labels[0] = (mixed.labels[0] + 1) % 10
    assert not DataSet.of(mixed, test).is_fashion_mnist


def test_a_recompressed_copy_and_other_spellings_are_accepted(copy: Path) -> None:
    for name in identity.FILES:
        path = places.file_path(copy, name)
        assert path is not None
        plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        path.unlink()
        if "images" in name:
            (copy / name.replace("-idx", ".idx")).write_bytes(plain)
        else:
            (copy / f"{name}.gz").write_bytes(gzip.compress(plain, 1))
    assert set(check(copy).values()) == {"intact"}


# How often each digit stands in MNIST's files of labels.
MNIST_COUNTS = {
    "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "t10k": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
}


@pytest.mark.parametrize("part", MNIST_COUNTS)
def test_mnist_is_refused_by_name(part: str, copy: Path) -> None:
    labels = np.repeat(np.arange(10), MNIST_COUNTS[part]).astype(np.uint8)
    name = f"{part}-labels-idx1-ubyte"
    (path,) = copy.glob(f"{name}*")
    path.unlink()
    write_idx(copy / name, labels)
    verdicts = check(copy)
    assert "this is MNIST (handwritten digits)" in verdicts[name]
    assert list(verdicts.values()).count("intact") == 3
    with pytest.raises(DataError, match="this is MNIST"):
        _ = DataSet(copy).train, DataSet(copy).test


def test_mnist_pictures_are_known_by_their_digest() -> None:
    file = IdxFile(np.zeros((1, 28, 28), np.uint8), identity.MNIST["t10k-images-idx3-ubyte"])
    assert "this is MNIST" in str(identity.fault("t10k-images-idx3-ubyte", file))


def test_exchanged_files_are_named(copy: Path) -> None:
    (train,) = copy.glob("train-labels*")
    (test,) = copy.glob("t10k-labels*")
    shutil.copyfile(test, train)
    assert "this is Fashion-MNIST's t10k-labels" in check(copy)["train-labels-idx1-ubyte"]


def test_one_changed_pixel_is_noticed(copy: Path) -> None:
    (path,) = copy.glob("t10k-images*")
    elements = read_idx(path).elements
    elements[5, 14, 14] ^= 1
    path.unlink()
    write_idx(copy / "t10k-images-idx3-ubyte", elements)
    assert "not Fashion-MNIST's t10k-images" in check(copy)["t10k-images-idx3-ubyte"]


def test_order_of_places(
    copy: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, no_system_copy: None
) -> None:
    with pytest.raises(DataError, match="fashioncnn data fetch"):
        places.find()
    monkeypatch.setattr(places, "SYSTEM_FOLDER", copy)
    assert places.find().origin == "the system's copy"
    shutil.copytree(copy, own_cache)
    assert places.find() == places.Place(own_cache, "the user's cache")
    monkeypatch.setenv("FASHIONCNN_DATA", str(copy))
    assert places.find().origin == "FASHIONCNN_DATA"
    assert places.find(own_cache).origin == "--data"
    with pytest.raises(DataError, match="--data"):
        places.find(copy / "nothing")


def test_fetch_from_a_folder_copies_to_the_cache(copy: Path, own_cache: Path) -> None:
    source = fetch(copy)
    assert source.folder == own_cache
    assert "--from" in source.origin
    assert set(check(own_cache).values()) == {"intact"}
    assert [path.name for path in own_cache.parent.iterdir()] == ["fashion-mnist"]


def test_fetch_from_a_damaged_folder_changes_nothing(copy: Path, own_cache: Path) -> None:
    (path,) = copy.glob("t10k-images*")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"cut short|damaged"):
        fetch(copy)
    assert not own_cache.exists()


def test_fetch_with_a_wrong_variable_says_so(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHIONCNN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"FASHIONCNN_DATA.*missing train-images"):
        fetch()
