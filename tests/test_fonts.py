"""Letters that the figures' own font lacks are drawn by an installed font that has them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
import json
from fashioncnn.reporting import fonts
print(json.dumps(fonts.families_for("服 and Привет")))
print(json.dumps([(text, file.name) for text, file in fonts.in_fonts("T 服é服", bold=False)]))
"""


@pytest.fixture
def fonts_folder(tmp_path: Path) -> Path:
    """A user's folder of fonts: one with one letter, and a file that is no font."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 900), (900, 900), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord("服"): "square"})
    builder.setupGlyf({".notdef": pen.glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "One Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    folder = tmp_path / "share" / "fonts"
    folder.mkdir(parents=True)
    builder.save(folder / "square.ttf")
    (folder / "broken.ttf").write_bytes(b"no font")
    return folder


def test_a_letter_is_drawn_by_a_font_that_has_it(fonts_folder: Path) -> None:
    surroundings = {**os.environ, "XDG_DATA_HOME": str(fonts_folder.parent)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=surroundings, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    families = json.loads(shown[0])
    parts = json.loads(shown[1])
    assert families[0] == "DejaVu Sans"
    assert len(families) == 2
    own = "DejaVuSans.ttf"
    assert [(text, file == own) for text, file in parts] == [
        ("T ", True),
        ("服", False),
        ("é", True),
        ("服", False),
    ]


def test_what_the_own_font_has_needs_no_other() -> None:
    from fashioncnn.reporting import fonts

    assert fonts.families_for("Привет – déjà vu\n") == ["DejaVu Sans"]
    assert fonts.file_for("\U0010fffd") is None
