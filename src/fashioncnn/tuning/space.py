"""A search space: which keys of a recipe to vary, over which values. TOML, data only.

::

    name = "two-conv-grid"
    recipe = "two-conv"          # a built-in name, or a path beside this file

    [space]
    model.dropout = [0.3, 0.5]
    optimizer.learning_rate = { low = 0.0001, high = 0.01, log = true }
    model.channels = [[32, 64], [64, 128]]
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from fashioncnn.errors import RecipeError, SpaceError, StorageError, reason
from fashioncnn.recipes.faults import MAX_FAULTS, in_lines, show
from fashioncnn.recipes.files import builtin_names, cut, parse
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.tuning.setting import Setting

MAX_BYTES = 1 << 20
MAX_GRID = 10_000
TOP_KEYS = ("name", "summary", "recipe", "space")
# As a recipe is called, with "-winner" behind it.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,55}")


@dataclass(frozen=True)
class Choices:
    """A key takes one of `values`."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """A key takes any number from `low` to `high`, both included; evenly in its logarithm if `log`.

    Whole numbers where both ends are.
    """

    low: float
    high: float
    log: bool

    @property
    def whole(self) -> bool:
        """Whether the key takes whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Space:
    """`recipe` is a built-in name or a path; `keys` tells what is varied, by key."""

    name: str
    summary: str
    recipe: str
    keys: Mapping[str, Choices | Range]

    def grid(self) -> list[Setting]:
        """Return every combination, the last key changing fastest.

        Raises SpaceError where a key is a range, or there are more than 10,000.
        """
        if ranges := [key for key, values in self.keys.items() if isinstance(values, Range)]:
            raise SpaceError(
                f"space {self.name}: {ranges[0]} is a range, and a grid needs lists of values"
            )
        lists = [values.values for values in self.keys.values() if isinstance(values, Choices)]
        if (size := math.prod(map(len, lists))) > MAX_GRID:
            raise SpaceError(
                f"space {self.name}: a grid of {size:,} settings; at most {MAX_GRID:,}"
            )
        return [dict(zip(self.keys, values, strict=True)) for values in itertools.product(*lists)]

    def apply(self, setting: Mapping[str, Any]) -> Recipe:
        """Return the recipe with `setting`. Raises RecipeError when they do not go together."""
        return load(self.recipe, changes(setting))


def changes(setting: Mapping[str, Any]) -> list[str]:
    """Write a setting as changes of a recipe, "model.dropout=0.5"."""
    return [f"{key}={json.dumps(value)}" for key, value in setting.items()]


def digest(recipe: Recipe) -> str:
    """Return twelve characters that stand for what decides the weights of `recipe`."""
    settings = json.dumps(recipe.settings(), sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:12]


def builtin_spaces() -> list[str]:
    """List the built-in spaces by name."""
    names = [file.name for file in _builtin().iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_space(name_or_path: str | Path) -> Space:
    """Read a built-in space by name, or a user's by path, and check every value that it names.

    Raises SpaceError with every fault at once.
    """
    text, folder = _read(str(name_or_path))
    try:
        tables = parse(text)
    except ValueError as error:
        raise SpaceError(f"{name_or_path}: not valid TOML: {reason(error)}") from None
    faults = [
        f"unknown key {cut(key)}; allowed: {', '.join(TOP_KEYS)}"
        for key in tables
        if key not in TOP_KEYS
    ]
    faults += [
        f"{key} is {show(tables.get(key))}; it must be text"
        for key in ("name", "recipe")
        if not isinstance(tables.get(key), str)
    ]
    name = tables.get("name")
    if isinstance(name, str) and not NAME.fullmatch(name):
        faults.append(
            f"name is {show(name)}; it must be small letters, digits and hyphens, at most 56"
        )
    if not isinstance(tables.get("space"), dict) or not tables["space"]:
        faults.append("[space] is missing or empty; it names the keys to vary")
    _raise(name_or_path, faults)
    recipe = tables["recipe"]
    if folder and recipe not in builtin_names():
        recipe = str(folder / recipe)
    keys: dict[str, Choices | Range] = {}
    for key, value in _flatten(tables["space"]):
        if len(faults) > MAX_FAULTS:
            break
        try:
            keys[key] = _values(key, value)
            for one in _ends(keys[key]):
                load(recipe, changes({key: one}))
        except (RecipeError, SpaceError) as error:
            faults.append(str(error).removeprefix(f"recipe {recipe}: "))
    _raise(name_or_path, faults)
    return Space(tables["name"], str(tables.get("summary", "")), recipe, keys)


def _raise(origin: str | Path, faults: list[str]) -> None:
    if faults:
        raise SpaceError(in_lines(f"space {origin}", faults))


def _read(name: str) -> tuple[str, Path | None]:
    if name in builtin_spaces():
        return (_builtin() / f"{name}.toml").read_text("utf-8"), None
    path = Path(name)
    try:
        if not path.is_file():
            raise SpaceError(
                f"no space {cut(repr(name))}: neither a file nor one of "
                + ", ".join(builtin_spaces())
            )
        if path.stat().st_size > MAX_BYTES:
            raise SpaceError(f"{path}: larger than {MAX_BYTES:,} bytes, so not a space")
        return path.read_text("utf-8-sig"), path.parent
    except UnicodeDecodeError:
        raise SpaceError(f"{path}: not UTF-8 text, so not a space") from None
    except OSError as error:
        raise StorageError.from_os_error("read", path, error) from None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and not {"low", "high"} & value.keys():
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _as_text(value: Any) -> str:
    """Return text that is the same for equal values, 0 and 0.0 too."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value)) if is_number else json.dumps(value, default=str)


def _values(key: str, value: Any) -> Choices | Range:
    if _too_large(value):
        raise SpaceError(f"{key} has a whole number of more than 64 bits")
    if isinstance(value, list):
        if not value:
            raise SpaceError(f"{key} is an empty list; give one value or more")
        if len({_as_text(one) for one in value}) < len(value):
            raise SpaceError(f"{key} names a value twice: {show(value)}")
        return Choices(tuple(value))
    if not isinstance(value, dict):
        raise SpaceError(
            f"{key} is {show(value)}; it must be a list of values, or a range "
            "such as { low = 0.0001, high = 0.01, log = true }"
        )
    if unknown := value.keys() - {"low", "high", "log"}:
        raise SpaceError(f"{key}: unknown {', '.join(sorted(unknown))}; allowed: low, high, log")
    low, high, log = _number(value.get("low")), _number(value.get("high")), value.get("log", False)
    if low is None or high is None or not low < high or not isinstance(log, bool):
        raise SpaceError(
            f"{key} is {show(value)}; a range needs numbers low < high, and log true or false"
        )
    if log and low <= 0:
        raise SpaceError(f"{key}: low is {low}; it must be above 0 where log is true")
    return Range(low, high, log)


def _too_large(value: Any) -> bool:
    """Say whether a value, or one in it, is a whole number that no recipe takes, nor JSON."""
    if isinstance(value, list | dict):
        return any(map(_too_large, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and value.bit_length() > 64


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def _ends(values: Choices | Range) -> tuple[Any, ...]:
    return values.values if isinstance(values, Choices) else (values.low, values.high)


def _builtin() -> Traversable:
    return resources.files("fashioncnn.tuning") / "spaces"
