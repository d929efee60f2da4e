"""Sheets of pictures and words: PNG and SVG show the same, and a second process draws it too."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from PIL import Image

import fashioncnn as fc
from fashioncnn.reporting.documents.files import read
from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.figures import Helper, draw, makers_of, sharing
from fashioncnn.reporting.figures.sheet import (
    PADDING,
    Picture,
    Sheet,
    Words,
    colour_bar,
    colours,
    one_colour,
)

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("scale", ["viridis", "RdBu_r", "gray_r"])
def test_colours_are_matplotlibs(scale: str) -> None:
    values = np.random.default_rng(0).normal(size=(20, 30))
    values[3, 4] = np.nan
    pixels = colours(values, scale, -1.5, 1.0, ground="#0a141e")
    assert pixels[3, 4].tolist() == [10, 20, 30]
    values[3, 4] = 0
    mapped = ScalarMappable(Normalize(-1.5, 1.0), mpl.colormaps[scale]).to_rgba(values)
    wanted = np.rint(255 * mapped[..., :3])
    wanted[3, 4] = 10, 20, 30
    np.testing.assert_array_equal(pixels, wanted)


def red_and_blue() -> Sheet:
    pixels = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    words = Words("<one> & two\nthree", 0.5, -0.1, 9, "middle", "bottom")
    upright = Words("upwards", -0.1, 0.5, 9, "right", "middle", upwards=True)
    return Sheet([Picture(pixels, 0, 0, 2, 1, frame="#00ff00")], [words, upright])


def test_png_has_the_pixels_where_they_belong() -> None:
    image = red_and_blue().png(100)
    red = [at for at in np.ndindex(image.size) if image.getpixel(at) == (255, 0, 0)]
    blue = [at for at in np.ndindex(image.size) if image.getpixel(at) == (0, 0, 255)]
    # Each an inch wide and high, but for the frame.
    for found in (red, blue):
        xs, ys = zip(*found, strict=True)
        assert 96 <= max(xs) - min(xs) + 1 <= 100
        assert 94 <= max(ys) - min(ys) + 1 <= 98
    assert min(blue)[0] == max(red)[0] + 1
    # Something is written above and on the left, within the sheet.
    dark = np.argwhere(np.asarray(image.convert("L")).T < 60)
    assert dark.min() >= PADDING * 100 - 1
    assert (dark[:, 0] < min(red)[0] - 5).any()
    assert (dark[:, 1] < min(red)[1] - 5).any()


def test_svg_has_the_words_and_the_same_pixels() -> None:
    sheet = red_and_blue()
    root = ElementTree.fromstring(sheet.svg())
    assert [one.text for one in root.iter(f"{SVG}text")] == ["<one> & two", "three", "upwards"]
    (image,) = root.iter(f"{SVG}image")
    png = base64.b64decode(image.attrib["href"].split(",", 1)[1])
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(png))), [[[255, 0, 0], [0, 0, 255]]]
    )
    width, height = (float(root.attrib[name].removesuffix("pt")) for name in ("width", "height"))
    assert sheet.png(72).size == pytest.approx((width, height), abs=1)


def test_words_stand_where_they_are_said_to() -> None:
    left, top, right, bottom = Words("word", 3, 2, 10, "right", "bottom").box
    assert (right, bottom) == (3, 2)
    assert bottom - top == pytest.approx(12 / 72)
    wide = Words("a word twice as long", 0, 0, 10).box
    assert wide[2] > 3 * (right - left)
    turned = Words("a word twice as long", 0, 0, 10, upwards=True).box
    assert turned[2:] == pytest.approx((wide[3], wide[2]))


def test_a_colour_bar_is_labelled_between_its_ends() -> None:
    sheet = Sheet()
    colour_bar(sheet, "viridis", (-1.2, 3.4), 0, 0, 2, "activation")
    *values, words = sheet.words
    assert [float(one.text) for one in values] == [-0.8, 0, 0.8, 1.6, 2.4, 3.2]
    # The larger, the higher.
    assert [one.y for one in values] == sorted((one.y for one in values), reverse=True)
    assert (words.text, words.upwards) == ("activation", True)
    assert one_colour("#ff0080").tolist() == [[[255, 0, 128]]]


@pytest.mark.usefixtures("tiny_data")
def test_a_second_process_draws_the_same(
    reported: fc.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = read(reported.path / "report.json", RunDocument)
    alone, helped, both = (tmp_path / name for name in ("alone", "helped", "both"))
    names = [path.name for path in draw(document, alone)]
    monkeypatch.setattr(sharing, "CORES", 2)
    helped.mkdir()
    with Helper() as helper:
        helper.begin(document, helped, list(makers_of(document)), 40)
    draw(document, both)
    for folder in (helped, both):
        assert sorted(path.name for path in folder.glob("*.png")) == sorted(names)
        assert not list(folder.glob(".*"))
        for name in names:
            assert (folder / name).read_bytes() == (alone / name).read_bytes()
