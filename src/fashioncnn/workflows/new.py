"""new: a short file to start from, and a recipe beside it that names it."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import get_args

from fashioncnn.errors import CodeError
from fashioncnn.runs.files import write_text
from fashioncnn.usercode.source import FILE_NAME, is_taken
from fashioncnn.workflows.check import Part


def new(file: str | Path, *, what: Part = "network") -> tuple[Path, Path]:
    """Write `file`, a `what` that works as it is, and a recipe beside it; return both paths.

    Raises CodeError for a name that Python could not import, or where a file is there already.
    """
    path = Path(file)
    if what not in get_args(Part):
        raise CodeError(f"a {what} cannot be written; it must be {' or '.join(get_args(Part))}")
    if not FILE_NAME.fullmatch(path.name):
        raise CodeError(f"{path}: call it as Python modules are called, as mine.py")
    if is_taken(path.stem, path.parent):
        raise CodeError(f"{path}: Python has a module {path.stem} already; choose another name")
    recipe = path.with_suffix(".toml")
    if there := [one for one in (path, recipe) if one.exists()]:
        raise CodeError(f"{there[0]} is there already: choose another name")
    if not path.parent.is_dir():
        raise CodeError(f"{path.parent}: no such folder")
    templates = resources.files("fashioncnn.usercode") / "templates"
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "mine"
    for target, suffix in ((path, "py"), (recipe, "toml")):
        text = (templates / f"{what}.{suffix}").read_text("utf-8")
        write_text(
            target,
            re.sub("FILE|NAME", lambda found: {"FILE": path.stem, "NAME": name}[found[0]], text),
        )
    return path, recipe
