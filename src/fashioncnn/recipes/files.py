"""Where recipes lie, and their text: nothing here needs what they describe, so it is fast."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from fashioncnn.errors import RecipeError, reason

MAX_BYTES = 1 << 20
# So many characters are shown of what a file holds.
MAX_SHOWN = 60
# A key of 64 parts or more, as in a.b.c = 1; a part may be quoted.
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
DEEP_KEY = re.compile(rf"""(?<![\w"'-])(?:{_PART}[ \t]*+\.[ \t]*+){{63}}""")


def builtin_names() -> list[str]:
    """List the built-in recipes by name."""
    names = [file.name for file in _builtin().iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_text(name_or_path: str | Path) -> str:
    """Return a recipe's TOML as it is written. Raises RecipeError when there is none."""
    name = str(name_or_path)
    if name in builtin_names():
        return (_builtin() / f"{name}.toml").read_text("utf-8")
    path = Path(name_or_path)
    try:
        if not path.is_file():
            raise RecipeError(
                f"no recipe {cut(repr(name))}: neither a file nor one of "
                + ", ".join(builtin_names())
            )
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"{path}: larger than {MAX_BYTES:,} bytes, so not a recipe")
        # Windows' editors put a mark in front.
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text, so not a recipe") from None
    except OSError as error:
        raise RecipeError(f"{cut(name)}: {error.strerror or error}") from None


def read_tables(name_or_path: str | Path) -> dict[str, Any]:
    """Return a recipe's tables, not checked. Raises RecipeError when they are no TOML."""
    try:
        return parse(read_text(name_or_path))
    except ValueError as error:
        raise RecipeError(
            f"{name_or_path}: not valid TOML: {reason(error, most=MAX_SHOWN)}"
        ) from None


def parse(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises ValueError for what is none, or nested too deeply.

    The time and memory that tomllib takes rise with the square of the parts of one key.
    """
    if DEEP_KEY.search(text):
        raise ValueError("nested too deeply, or a text of 64 parts with dots between")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def cut(text: str) -> str:
    """Return `text`, shortened where it is long."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _builtin() -> Traversable:
    return resources.files("fashioncnn.recipes") / "builtin"
