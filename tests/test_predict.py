"""Photographs: converted, answered, shown; and what goes wrong with them, in a line."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn import npz
from fashioncnn.cli.main import main
from fashioncnn.console.say import with_progress
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import DataError, RunError, StorageError
from fashioncnn.opening.models import own_bundle
from fashioncnn.photos import convert as conversion
from fashioncnn.photos.convert import convert
from fashioncnn.photos.files import read_picture, read_picture_bytes
from fashioncnn.photos.outline import Outline, without_ground
from fashioncnn.photos.pixel_budget import PixelBudget
from fashioncnn.runs import json_lines
from fashioncnn.runs.files import read_json

Words = Callable[..., tuple[int, str, str]]


def photograph(
    shirts: int = 1, ground: tuple[int, int, int] = (150, 110, 70), width: int = 640
) -> Image.Image:
    """Draw blue shirts with sleeves on a ground with noise."""
    random = np.random.default_rng(0)
    noise = random.normal(0, 6, (480, width, 3))
    picture = Image.fromarray(np.clip(np.array(ground) + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for number in range(shirts):
        x = width * (number + 1) // (shirts + 1)
        draw.rectangle((x - 70, 90, x + 70, 400), fill=(40, 60, 160))
        draw.polygon(
            [(x - 70, 90), (x - 130, 180), (x - 100, 210), (x - 70, 160)], fill=(40, 60, 160)
        )
        draw.polygon(
            [(x + 70, 90), (x + 130, 180), (x + 100, 210), (x + 70, 160)], fill=(40, 60, 160)
        )
    return picture


def noise() -> Image.Image:
    """Draw noise, a bump to about 30 pixels."""
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((480, 360), Image.Resampling.BICUBIC)


def scattered() -> Image.Image:
    """Draw a box among many small ones, as a window of a screen has them."""
    picture = Image.new("RGB", (480, 360), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((180, 130, 300, 230), fill=(20, 40, 90))
    for x in range(40, 440, 45):
        for y in (40, 80, 270, 310):
            draw.rectangle((x, y, x + 25, y + 18), fill=(20, 40, 90))
    return picture


def on_ground(
    thing: NDArray[np.bool_], depth: NDArray[np.float64], noise: float
) -> NDArray[np.uint8]:
    """Draw a thing, darker by `depth`, on a ground that is lit from one side; in Lab."""
    shades = np.array([160.0, 150.0, 140.0]) - np.where(thing, depth, 0.0)[..., None]
    light = np.linspace(0.95, 1.05, thing.shape[1])[:, None]
    grain = np.random.default_rng(0).normal(0, noise, (*thing.shape, 3))
    pixels = np.clip(shades * light + grain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), np.uint8)


def agreement(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float((found & true).sum() / (found | true).sum())


class TestConversion:
    def test_a_garment_is_cut_out_negated_and_fitted(self) -> None:
        picture = photograph()
        found = convert(picture)
        assert found.warnings == ()
        blue = np.array(picture.resize((160, 120)))[..., 2] > np.array(picture.resize((160, 120)))[
            ..., 0
        ].astype(int)
        assert agreement(found.outline, blue) > 0.93
        assert found.images_NHWC.shape == (6, 28, 28, 1)
        assert found.images_NHWC.dtype == np.uint8
        images_NHW = found.images_NHWC[..., 0]
        np.testing.assert_array_equal(images_NHW[3:], images_NHW[:3, :, ::-1])
        for one in images_NHW[:3]:
            # Light on black, as high as the picture, in the middle.
            assert one[:, 0].max() == 0
            assert one.any(1).all()
            assert 100 <= np.median(one[one > 0]) <= 200

    def test_ground_within_an_outline_is_taken_away(self) -> None:
        y, x = np.indices((120, 160))
        legs = (abs(x - 80) < 18 + (y - 20) / 10) & (y > 20) & (y < 105)
        gap = (abs(x - 80) < 2 + (y - 45) / 20) & (y > 45)
        shoe = (x > 100) & (x < 135) & (y > 80) & (y < 92)
        around = (x > 60) & (x < 150) & (y > 40) & (y < 110)
        for thing, found in ((legs & ~gap, legs), (shoe, around)):
            lab = on_ground(thing, np.full(thing.shape, 90.0), noise=4)
            left = without_ground(Outline(found, 1), lab)
            assert agreement(left.mask, thing) > 0.97
            assert (left.pieces, left.certain) == (1, True)

    def test_what_is_like_the_ground_and_ends_sharply_stays(self) -> None:
        y, x = np.indices((120, 160))
        thing = (abs(x - 80) < 30) & (abs(y - 60) < 40)
        depth = np.where(y > 75, 27.0, 60.0)
        found = without_ground(Outline(thing, 1), on_ground(thing, depth, noise=14))
        assert agreement(found.mask, thing) > 0.97
        # Fainter than the edge of the rest, it is a shadow.
        shadow = np.where(y > 75, 12.0, 60.0)
        found = without_ground(Outline(thing, 1), on_ground(thing, shadow, noise=14))
        assert agreement(found.mask, thing & (y <= 75)) > 0.97

    def test_what_is_wide_is_shown_squeezed_and_as_it_is(self) -> None:
        picture = Image.new("RGB", (640, 480), (200, 190, 180))
        ImageDraw.Draw(picture).ellipse((120, 180, 520, 300), (40, 50, 120))
        high = [one.any(1).sum() for one in convert(picture).images_NHWC[:3, ..., 0]]
        wide = [one.any(0).sum() for one in convert(picture).images_NHWC[:3, ..., 0]]
        assert wide == [28, 28, 24]
        assert high[0] == pytest.approx(28 * 120 / 400, abs=1)
        assert high[1:] == [28, 28]

    def test_the_same_photograph_gives_the_same_pictures(self) -> None:
        one, other = convert(photograph()), convert(photograph())
        np.testing.assert_array_equal(one.images_NHWC, other.images_NHWC)

    @pytest.mark.parametrize("quality", [None, 60])
    @pytest.mark.parametrize("inverted", [False, True])
    def test_writing_is_no_photograph(self, quality: int | None, inverted: bool) -> None:
        page = Image.new("RGB", (500, 400), (240, 238, 230))
        draw = ImageDraw.Draw(page)
        for top in range(20, 360, 40):
            line = "Shirts and trousers, sizes 8 to 42"
            draw.text((20, top), line, (30, 40, 60), ImageFont.load_default(26))
        page = ImageOps.invert(page) if inverted else page
        assert conversion.DRAWN in convert(saved(page, quality)).warnings

    @pytest.mark.parametrize("stripes", [(30, 30, 40), (200, 60, 60)])
    def test_a_striped_garment_on_white_is_a_photograph(
        self, stripes: tuple[int, int, int]
    ) -> None:
        garment = Image.new("RGB", (240, 320), (225, 215, 200))
        draw = ImageDraw.Draw(garment)
        for top in range(0, 320, 20):
            draw.rectangle((0, top, 240, top + 8), stripes)
        picture = Image.new("RGB", (400, 480), "white")
        picture.paste(garment, (80, 80))
        assert conversion.DRAWN not in convert(saved(picture, 85)).warnings

    @pytest.mark.parametrize(
        ("picture", "words"),
        [
            (photograph(2, width=900), conversion.SEVERAL_PIECES),
            (Image.new("RGB", (300, 400), (90, 90, 90)), conversion.NOTHING_FOUND),
            (scattered(), conversion.HARDLY_FOUND),
            (noise(), conversion.HARDLY_FOUND),
            (photograph().crop((200, 200, 440, 480)), conversion.CUT_OFF),
            (photograph().point(lambda value: value // 6), conversion.DARK),
        ],
    )
    def test_what_seems_wrong_is_said(self, picture: Image.Image, words: str) -> None:
        assert words in convert(picture).warnings

    @pytest.mark.parametrize("size", [(8, 8), (1, 300), (300, 1), (29, 3000)])
    def test_odd_sizes(self, size: tuple[int, int]) -> None:
        assert convert(photograph().resize(size)).images_NHWC.shape == (6, 28, 28, 1)

    def test_every_kind_of_file_gives_much_the_same(self, tmp_path: Path) -> None:
        """Turned by EXIF, with palette, in CMYK, 16 bits, or with a transparent ground."""
        picture = photograph()
        plain = convert(picture).images_NHWC.astype(int)
        turned = picture.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
        picture.save(tmp_path / "webp.webp", quality=95)
        picture.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
        picture.quantize(64).save(tmp_path / "palette.png")
        picture.quantize(64).save(tmp_path / "gif.gif")
        picture.save(tmp_path / "plain.tiff")
        for path in tmp_path.iterdir():
            found = convert(read_picture(path, 320)).images_NHWC.astype(int)
            assert np.abs(found - plain).mean() < 8, path.name

    def test_twelve_megapixels_are_fast(self, tmp_path: Path) -> None:
        path = tmp_path / "large.jpg"
        photograph().resize((4000, 3000)).save(path, quality=90)
        convert(read_picture(path, 320))
        started = time.process_time()
        convert(read_picture(path, 320))
        assert time.process_time() - started < 1.0


def saved(picture: Image.Image, jpeg_quality: int | None) -> Image.Image:
    if jpeg_quality is None:
        return picture
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=jpeg_quality)
    return Image.open(file).convert("RGB")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos")
    photograph().save(path / "shirt.jpg")
    photograph(2, width=900).save(path / "two.png")
    Image.new("RGB", (64, 64), "white").save(path / "blank.png")
    (path / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    return path


def test_the_network_that_comes_along_answers(folder: Path) -> None:
    answers = {Path(one.picture).name: one for one in fc.predict([folder])}
    assert list(answers) == ["blank.png", "broken.jpg", "shirt.jpg", "two.png"]
    assert answers["shirt.jpg"].answer in ("T-shirt/top", "Shirt", "Dress")
    probabilities = [value for _, value in answers["shirt.jpg"].probabilities]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) == 3
    assert answers["blank.png"].answer is None
    assert conversion.NOTHING_FOUND in answers["blank.png"].warnings
    assert answers["two.png"].answer is None
    assert conversion.SEVERAL_PIECES in answers["two.png"].warnings
    assert "not a picture, or damaged" in str(answers["broken.jpg"].fault)


def test_the_command_line(folder: Path, tmp_path: Path, words_of: Words) -> None:
    table, sheet = tmp_path / "answers.csv", tmp_path / "sheet.png"
    status, out, _ = words_of(
        *("predict", folder / "*.jpg", folder / "blank.png", "--top", 2),
        *("--csv", table, "--show", sheet, "--json"),
    )
    assert status == 0
    found = {Path(one["picture"]).name: one for one in json.loads(out)["pictures"]}
    assert len(found["shirt.jpg"]["probabilities"]) == 2
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert {Path(row["picture"]).name for row in rows} == found.keys()
    assert rows[1]["answer"] == found["shirt.jpg"]["answer"]
    with Image.open(sheet) as drawn:
        assert drawn.size[0] > 800
    status, out, _ = words_of("predict", folder / "shirt.jpg", "--not-sure-below", 1)
    assert "shirt.jpg: not sure (" in out
    status, out, err = words_of("predict", folder / "shirt.jpg", folder / "broken.jpg")
    assert (status, out.count("\n"), err.count("\n")) == (2, 1, 1)
    status, out, err = words_of("predict", folder / "shirt.jpg", folder / "*.tiff")
    assert (status, out.count("\n"), err.count("\n")) == (2, 1, 1)
    status, out, err = words_of("predict", folder / "broken.jpg")
    assert (status, out, err.count("\n")) == (2, "", 1)
    status, out, err = words_of("predict", tmp_path / "nothing" / "*.png")
    assert (status, err.count("\n")) == (2, 1)
    assert "no picture:" in err


def test_pictures_of_the_data_set_are_taken_as_they_are(tmp_path: Path) -> None:
    images = make_pictures(20, seed=5).images_NHWC[..., 0]
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number:02}.png")
    trained = own_bundle()
    answers = fc.predict([tmp_path], trained, not_sure_below=0)
    assert [one.answer for one in answers] == trained.predict(images).classes


def test_other_networks_get_pictures_as_their_own(tmp_path: Path, tiny_recipe: Path) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(240) % 2
    images = random.integers(0, 50, (240, 12, 20, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[..., 2 * label] += 150
    data = DataSet.of(LabelledImages(images, labels, ("red", "blue")), name="colours")
    changes = {"data.image_size": "data", "data.validation_images": 20}
    run = fc.train(tiny_recipe, changes=changes, data=data, out=tmp_path / "runs", device="cpu")
    with pytest.raises(DataError, match="the pictures were in memory"):
        fc.evaluate(run)
    Image.new("RGB", (400, 240), (170, 20, 20)).save(tmp_path / "red.png")
    Image.new("RGB", (40, 24), (20, 20, 170)).save(tmp_path / "blue.png")
    answers = fc.predict([tmp_path / "red.png", tmp_path / "blue.png"], run)
    assert [one.answer for one in answers] == ["red", "blue"]
    assert [one.warnings for one in answers] == [(), ()]


def test_one_file_needs_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "one.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(place)
    (alone,) = fc.predict(place)
    assert fc.predict(str(place)) == fc.predict([place]) == [alone]
    # Without a standard input, as services are started.
    monkeypatch.setattr("sys.stdin", None)
    assert fc.predict("-")[0].fault == "standard input: closed"


def test_what_looks_like_a_scan_in_other_files_is_none(tmp_path: Path) -> None:
    """Compressed pixels hold every two bytes now and then."""
    content = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    content[:200] = (0xFF, 0xDA, 0x11)
    place = tmp_path / "marked.bmp"
    Image.fromarray(content[..., ::-1]).save(place)
    assert place.read_bytes().count(b"\xff\xda") > 100
    assert read_picture_bytes(place.read_bytes(), "it").size == (400, 400)


def test_a_picture_too_large_for_the_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fashioncnn.photos.files.Image.open", full)
    with pytest.raises(DataError, match=r"^it: too large for the memory$"):
        read_picture_bytes(b"", "it")


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_phones_other_kinds_of_picture_are_named(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(b"\0\0\0 ftypheic" + bytes(50))
    (answer,) = fc.predict([tmp_path / f"a.{suffix}"])
    assert answer.fault
    assert answer.fault.endswith(f"{suffix.upper()} files are not read; save it as JPEG or PNG")


def test_a_stricter_wish_is_no_sign_of_a_strange_picture(tmp_path: Path) -> None:
    photograph().save(tmp_path / "a.png")
    (answer,) = fc.predict([tmp_path / "a.png"], not_sure_below=1)
    assert answer.answer is None
    assert answer.warnings == ()


def test_a_cut_out_on_nothing_is_not_dark() -> None:
    drawn = np.zeros((300, 300, 3), np.uint8)
    drawn[120:180, 130:170] = (120, 130, 140)
    assert "too dark" not in convert(Image.fromarray(drawn)).warnings
    assert "too dark" in convert(Image.fromarray(drawn // 10)).warnings


def test_pictures_in_memory_have_a_budget() -> None:
    budget, now, most = PixelBudget(10), 0, 0
    lock = threading.Lock()

    def hold(pixels: int) -> None:
        nonlocal now, most
        with budget.spend(pixels):
            with lock:
                now += pixels
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [4, 6, 3, 3, 3, 12, 4, 6] * 3))
    assert most == 12


def test_no_picture_and_no_device_is_written_over(tmp_path: Path, words_of: Words) -> None:
    place = tmp_path / "one.png"
    Image.new("L", (28, 28), 90).save(place)
    content = place.read_bytes()
    (tmp_path / "link").symlink_to(place)
    for option in ("--csv", "--show"):
        for file in (place, tmp_path / "link"):
            status, _, err = words_of("predict", place, option, file)
            assert (status, err.count("\n")) == (2, 1)
            assert f"{file} is one of the pictures" in err
    assert place.read_bytes() == content
    _, _, err = words_of("predict", place, "--csv", tmp_path / "x", "--show", tmp_path / "x")
    assert f"--csv and --show are both {tmp_path / 'x'}" in err
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match=r"cannot write .*pipe: it is there, and no file"):
        fc.predict(place, show=tmp_path / "pipe")
    for read in (read_json, json_lines.read):
        with pytest.raises(RunError, match="pipe: no plain file"):
            read(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe: no plain file"):
        npz.read(tmp_path / "pipe", 1 << 20, DataError)
    with pytest.raises(DataError, match="an empty name"):
        fc.predict("")


def test_progress_where_the_first_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fashioncnn.console.say.SECONDS_BETWEEN_LINES", 0)
    assert list(with_progress(iter("ab"), 2, "reading")) == ["a", "b"]
    assert "reading: 1 of 2, about 0.0 s left" in capsys.readouterr().err


def test_bad_wishes_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none was named"):
        fc.predict([])
    with pytest.raises(DataError, match="no picture in it"):
        fc.predict([tmp_path])
    with pytest.raises(DataError, match="not_sure_below is 2; it must be 0 to 1"):
        fc.predict(["a.png"], not_sure_below=2)
    for top in (0, -8):
        with pytest.raises(DataError, match=f"top is {top}; it must be 1 or more"):
            fc.predict(["a.png"], top=top)
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    with pytest.raises(StorageError, match=r"^cannot write .*: it is there, and no file"):
        fc.predict(tmp_path / "a.png", show=Path())
    (answer,) = fc.predict([tmp_path / "none.png"])
    assert "No such file" in str(answer.fault)


def test_what_cannot_be_read_is_said_beside_the_answers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (28, 28), 9).save(tmp_path / "a\nb.png")
    (tmp_path / "c.heic").write_bytes(b"ftypheic")
    arguments = ["fashioncnn", "predict", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr()
    assert ended.value.code == 0
    assert f"error: {tmp_path}/c.heic: HEIC files are not read" in said.err
    (line,) = said.out.splitlines()
    assert "/a\\nb.png: " in line


def test_a_network_behind_its_pictures_is_no_picture(trained_once: Path, tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="is a network, and stands before the pictures"):
        fc.predict([tmp_path / "a.png", trained_once])
