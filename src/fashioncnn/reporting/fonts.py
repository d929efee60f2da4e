"""Fonts for letters that the figures' own font lacks: class names may be of any script."""

from __future__ import annotations

import logging
from functools import lru_cache
from itertools import groupby
from pathlib import Path

OWN_FAMILY = "DejaVu Sans"
# Emoji have fixed sizes and colours, which matplotlib cannot draw; a last resort has boxes alone.
UNUSABLE = ("emoji", "lastresort", "last resort")
OTHER_STYLES = ("bold", "black", "light", "thin", "italic", "oblique")


def own_file(*, bold: bool) -> Path:
    """Return the file of the figures' own font, which comes with matplotlib."""
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / name


def families_for(text: str) -> list[str]:
    """Return the font families that draw `text`, for matplotlib: a letter is of the first with it.

    Letters that no installed font has are drawn as boxes.
    """
    families = [OWN_FAMILY]
    lacking = _lacking(text, own_file(bold=False))
    while lacking and (file := _best(lacking)):
        families.append(_family(file))
        lacking -= _letters(file)
    return families


def in_fonts(text: str, *, bold: bool) -> list[tuple[str, Path]]:
    """Return `text` in parts, each with the file of the font that draws it."""
    own = own_file(bold=bold)
    if text.isascii():
        return [(text, own)]

    def font_of(letter: str) -> Path:
        lacking = _lacking(letter, own)
        return (_best(lacking) if lacking else None) or own

    return [("".join(letters), file) for file, letters in groupby(text, font_of)]


def _lacking(text: str, file: Path) -> frozenset[int]:
    """Return the letters of `text` that a font lacks; what is not printed needs no font."""
    if text.isascii():
        return frozenset()
    return frozenset(map(ord, filter(str.isprintable, set(text)))) - _letters(file)


@lru_cache
def _best(lacking: frozenset[int]) -> Path | None:
    """Return the installed font with most of these letters, or None.

    Where several have as many, it is an upright one of usual weight.
    """
    found = {file: len(lacking & _letters(file)) for file in _installed()}
    usable = [file for file, count in found.items() if count]
    return max(usable, key=lambda file: (found[file], _is_regular(file)), default=None)


@lru_cache(1)
def _installed() -> list[Path]:
    from matplotlib import font_manager

    files = [Path(file) for file in sorted(font_manager.findSystemFonts())]
    return [file for file in files if not any(word in file.name.lower() for word in UNUSABLE)]


@lru_cache
def _letters(file: Path) -> frozenset[int]:
    from matplotlib import ft2font

    try:
        return frozenset(ft2font.FT2Font(str(file)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _is_regular(file: Path) -> bool:
    from matplotlib import ft2font

    style = ft2font.FT2Font(str(file)).style_name.lower()
    return not any(word in style for word in OTHER_STYLES)


@lru_cache
def _family(file: Path) -> str:
    """Return the name of a font's family, known to matplotlib from now on."""
    from matplotlib import font_manager

    # It tells where a font has no bold face; the usual one is drawn then.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    font_manager.fontManager.addfont(str(file))
    return font_manager.get_font(str(file)).family_name
