"""The Python files of a user's own that a recipe names: found, read, their digests noted.

A recipe that a person wrote names files beside it, and reading it lets them run, as `python
mine.py` would. A recipe with a table `code` is of a run: its files are the copies in `code/`
beside it, and they run only where they are trusted.
"""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashioncnn.errors import CodeError, FashionCNNError, RecipeError
from fashioncnn.recipes.files import cut, read_tables
from fashioncnn.recipes.schema import CHOICES, Recipe
from fashioncnn.registry import is_own
from fashioncnn.runs.directory import CODE
from fashioncnn.usercode.modules import may_run, offer
from fashioncnn.usercode.part import ADDRESS
from fashioncnn.usercode.source import Source, read, read_copy
from fashioncnn.usercode.trust import is_trusted

# What lies beside the recipe of a run or a study.
MARKERS = ("provenance.json", "metrics.jsonl", "checkpoints/last.json", "study.json")


@dataclass(frozen=True)
class Named:
    """A place of a recipe that names `file.py:Name`: the key of `table` itself, or its value."""

    table: dict[str, Any]
    key: str
    address: str

    @property
    def path(self) -> str:
        """The file."""
        return self.address.rpartition(":")[0]

    def shorten(self) -> None:
        """Leave the folder out: a run keeps all its files in one."""
        short = f"{Path(self.path).name}:{self.address.rpartition(':')[2]}"
        if self.key == self.address:
            self.table[short] = self.table.pop(self.key)
        else:
            self.table[self.key] = short


def find_code(tables: dict[str, Any], folder: Path | None, kept: Path | None = None) -> bool:
    """Read the files that `tables` name, and note their digests there.

    `folder` is that of the recipe; None where it is no file, and what is named lies in the working
    directory. A file that is gone is replaced by its copy in a run below `kept`, or there. Answers
    whether the files may run and are to be asked for their keywords. Raises RecipeError, CodeError.
    """
    named, digests = _named(tables), tables.get("code")
    addresses = [one.address for one in named]
    if not named:
        tables.pop("code", None)
        return False
    for one in named:
        if not re.match(ADDRESS, one.address):
            raise RecipeError(f"{cut(one.address)!r}: write it as mine.py:MyNet, a name in a file")
    if folder and digests is not None:
        _offer_copies(named, digests, folder / CODE)
        return False
    if folder and (marker := _of_a_run(folder)):
        raise RecipeError(
            f"it names {named[0].address} and has no table code, though it lies with a run "
            f"({marker}): copy both elsewhere if they are yours"
        )
    known = digests if isinstance(digests, dict) else {}
    new = [one for one in named if one.path not in known]
    if new and known:
        raise RecipeError(f"it has its files already, and {new[0].path} is none of them")
    paths = [(folder or Path()) / path for path in dict.fromkeys(one.path for one in new)]
    for one in new:
        one.shorten()
    if not paths:
        return may_run(known, addresses)
    if kept and not all(path.exists() for path in paths):
        return _find_copies(tables, kept)
    source = functools.reduce(Source.joined, [read(path) for path in paths])
    tables["code"] = source.digests
    offer(source, [one.address for one in _named(tables)])
    return True


def _of_a_run(folder: Path) -> Path | None:
    """Return what tells that `folder` is of a run or a study, or lies in one."""
    places = [place / marker for place in (folder, folder.parent) for marker in MARKERS]
    return next((place for place in places if place.exists()), None)


def misfits(recipe: Recipe) -> list[str]:
    """List the keywords that do not fit the user's own parts, which are imported for that."""
    return [misfit for part in recipe.own_parts() if (misfit := part.misfit())]


def _find_copies(tables: dict[str, Any], kept: Path) -> bool:
    """Take the copies of the newest run of this recipe below `kept`."""
    runs = sorted((kept / str(tables.get("name"))).glob(f"*/{CODE}"), reverse=True)
    for copies in (kept / CODE, *runs):
        recipe_file = copies.parent / "recipe.toml"
        with contextlib.suppress(OSError, ValueError, FashionCNNError):
            digests = read_tables(recipe_file).get("code")
            tables["code"] = _offer_copies(_named(tables), digests, copies)
            return may_run(tables["code"], [one.address for one in _named(tables)])
    raise CodeError(
        f"{', '.join(one.path for one in _named(tables))}: no such file beside the recipe, and no "
        f"run in {kept} keeps a copy"
    )


def _offer_copies(named: list[Named], digests: object, folder: Path) -> dict[str, str]:
    """Let the copies that a run keeps be found; they run only where they are trusted."""
    sound = isinstance(digests, dict) and all(isinstance(one, str) for one in digests.values())
    if not sound or any(one.path not in digests for one in named):  # type: ignore[operator]
        raise RecipeError("its table code does not have the files that it names")
    assert isinstance(digests, dict)
    addresses = [one.address for one in named]
    trusted = addresses if is_trusted(digests, addresses) else ()
    offer(read_copy(folder, digests), trusted, copied=True)
    return digests


def _named(tables: dict[str, Any]) -> list[Named]:
    found = []
    for name, choices in CHOICES.items():
        table = tables.get(name)
        if isinstance(table, dict) and is_own(table.get(choices.tag)):
            found.append(Named(table, choices.tag, table[choices.tag]))
    augmentation = tables.get("augmentation")
    own = augmentation.get("own") if isinstance(augmentation, dict) else None
    if isinstance(own, dict):
        found += [Named(own, address, address) for address in own]
    return found
