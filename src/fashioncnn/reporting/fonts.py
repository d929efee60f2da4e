"""Fonts for letters that the figures' own font lacks: class names may be of any script."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path

OWN_FAMILY = "DejaVu Sans"
# Their pictures of letters have fixed sizes and colours, which matplotlib cannot draw.
UNDRAWABLE = "emoji"


def own_file(*, bold: bool) -> Path:
    """Return the file of the figures' own font, which comes with matplotlib."""
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / name


def families_for(text: str) -> list[str]:
    """Return the font families that draw `text`, for matplotlib: a letter is of the first with it.

    Letters that no installed font has are drawn as boxes.
    """
    file = file_for(text)
    if file is None:
        return [OWN_FAMILY]
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(file))
    return [OWN_FAMILY, font_manager.get_font(str(file)).family_name]


def in_fonts(text: str, *, bold: bool) -> list[tuple[str, Path]]:
    """Return `text` in parts, each with the file of the font that draws it."""
    own = own_file(bold=bold)
    if text.isascii():
        return [(text, own)]
    parts = groupby(text, lambda letter: file_for(letter) or own)
    return [("".join(letters), file) for file, letters in parts]


@lru_cache
def file_for(text: str) -> Path | None:
    """Return the installed font with most of those letters that the own font lacks.

    None where it lacks none, or no font has any.
    """
    if text.isascii():
        return None
    drawn = {ord(letter) for letter in set(text) if letter.isprintable()}
    lacking = drawn - _letters(own_file(bold=False))
    return _best(frozenset(lacking)) if lacking else None


@lru_cache
def _best(lacking: frozenset[int]) -> Path | None:
    found = {file: len(lacking & _letters(file)) for file in _installed()}
    best = max(found, key=lambda file: found[file], default=None)
    return best if best and found[best] else None


@lru_cache(1)
def _installed() -> list[Path]:
    """Return the fonts of this machine."""
    from matplotlib import font_manager

    files = [Path(file) for file in sorted(font_manager.findSystemFonts())]
    return [file for file in files if UNDRAWABLE not in file.name.lower()]


@lru_cache
def _letters(file: Path) -> frozenset[int]:
    from matplotlib import ft2font

    try:
        return frozenset(ft2font.FT2Font(str(file)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
