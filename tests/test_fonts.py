"""Letters that the figures' own font lacks are drawn by installed fonts that have them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Letters of scripts that no font of ours has, Mende Kikakui and Miao.
FIRST, SECOND, NOWHERE = "\U0001e800", "\U00016f00", "\U0001e801"
SHOW = f"""
import json
from fashioncnn.reporting import fonts
print(json.dumps(fonts.families_for("{FIRST} and Привет {SECOND}{NOWHERE}")))
parts = fonts.in_fonts("T {FIRST}é{SECOND}{NOWHERE}", bold=False)
print(json.dumps([(text, file.name) for text, file in parts]))
"""


def write_font(file: Path, letter: str, family: str, style: str = "Regular") -> None:
    """Write a font in which `letter` is a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 900), (900, 900), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(letter): "square"})
    builder.setupGlyf({".notdef": pen.glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2()
    builder.setupPost()
    builder.save(file)


@pytest.fixture
def fonts_folder(tmp_path: Path) -> Path:
    """A user's folder of fonts."""
    folder = tmp_path / "share" / "fonts"
    folder.mkdir(parents=True)
    write_font(folder / "A-LastResort.ttf", FIRST, "Boxes")
    write_font(folder / "First-Bold.ttf", FIRST, "First", "Bold")
    write_font(folder / "First-Regular.ttf", FIRST, "First")
    write_font(folder / "Second.ttf", SECOND, "Second")
    (folder / "broken.ttf").write_bytes(b"no font")
    return folder


def test_a_letter_is_drawn_by_a_font_that_has_it(fonts_folder: Path) -> None:
    surroundings = {**os.environ, "XDG_DATA_HOME": str(fonts_folder.parent)}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=surroundings, check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    families, parts = map(json.loads, done.stdout.splitlines())
    assert families[0] == "DejaVu Sans"
    assert sorted(families[1:]) == ["First", "Second"]
    assert parts == [
        ["T ", "DejaVuSans.ttf"],
        [FIRST, "First-Regular.ttf"],
        ["é", "DejaVuSans.ttf"],
        [SECOND, "Second.ttf"],
        # A box.
        [NOWHERE, "DejaVuSans.ttf"],
    ]


def test_what_the_own_font_has_needs_no_other() -> None:
    from fashioncnn.reporting import fonts

    assert fonts.families_for("Привет – déjà vu\n") == ["DejaVu Sans"]
