"""Reading recipes: the built-in ones by name, a user's by path, with changes on top."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from fashioncnn.data.images import FASHION_MNIST_CLASSES
from fashioncnn.errors import RecipeError
from fashioncnn.recipes import faults
from fashioncnn.recipes.schema import Recipe

MAX_BYTES = 1 << 20


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
    if not path.is_file():
        raise RecipeError(
            f"no recipe {name!r}: neither a file nor one of {', '.join(builtin_names())}"
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"{path}: larger than {MAX_BYTES:,} bytes, so not a recipe")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text, so not a recipe") from None
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from None


def load(
    name_or_path: str | Path,
    changes: Sequence[str] = (),
    class_names: Sequence[str] = FASHION_MNIST_CLASSES,
) -> Recipe:
    """Read a recipe and apply `changes`, such as "optimizer.learning_rate=0.002".

    Raises RecipeError with every fault at once. A changed recipe loses its promise.
    """
    try:
        tables = tomllib.loads(read_text(name_or_path))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name_or_path}: not valid TOML: {error}") from None
    except RecursionError:
        raise RecipeError(f"{name_or_path}: nested too deeply to be a recipe") from None
    for change in changes:
        _merge(tables, _parse_change(change))
    if changes:
        tables.pop("promise", None)
    return validate(tables, str(name_or_path), class_names)


def validate(
    tables: dict[str, Any], origin: str, class_names: Sequence[str] = FASHION_MNIST_CLASSES
) -> Recipe:
    """Check `tables` whole; RecipeError lists every fault, with key, value and what is allowed."""
    lines = _unknown_classes(tables, class_names)
    try:
        recipe = Recipe.model_validate(tables)
    except ValidationError as error:
        lines = faults.explain(error.errors()) + lines
    if lines:
        # One fault is one line; several follow, a line each.
        separator = " " if len(lines) == 1 else "\n  "
        raise RecipeError(f"recipe {origin}:{separator}" + "\n  ".join(lines))
    return recipe


def dump(recipe: Recipe) -> str:
    """Write `recipe` as TOML, complete: every default included."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


def differences(mine: Recipe, theirs: Recipe) -> list[str]:
    """List the keys that decide the weights and differ, as "key: mine, not theirs"."""
    left, right = flatten(mine.settings()), flatten(theirs.settings())
    return [
        f"{key} {left.get(key)!r}, not {right.get(key)!r}"
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    ]


def _builtin() -> Traversable:
    return resources.files("fashioncnn.recipes") / "builtin"


def _parse_change(change: str) -> dict[str, Any]:
    """Read "key=value" as a line of TOML; a value that is not TOML is text."""
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set {change!r}: write it as table.key=value")
    for candidate in (value, json.dumps(value.strip(), ensure_ascii=False)):
        try:
            return tomllib.loads(f"{key}={candidate}")
        except tomllib.TOMLDecodeError:
            continue
    raise RecipeError(f"--set {change!r}: {key!r} is not a key such as optimizer.learning_rate")


def _merge(tables: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(tables.get(key), dict):
            _merge(tables[key], value)
        else:
            tables[key] = value


def _unknown_classes(tables: dict[str, Any], class_names: Sequence[str]) -> list[str]:
    lines = []
    for table, key in (
        ("loss", "class_weights"),
        ("augmentation", "by_class"),
        ("reported", "classes"),
    ):
        outer = tables.get(table)
        named = outer.get(key) if isinstance(outer, dict) else None
        names = named if isinstance(named, dict) else ()
        unknown = [name for name in names if name not in class_names]
        lines += [
            f"{table}.{key} names the class {name!r}; the classes are {', '.join(class_names)}"
            for name in unknown
        ]
    return lines


def flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one, with keys such as "optimizer.name"."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
