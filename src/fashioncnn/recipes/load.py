"""Reading recipes: the built-in ones by name, a user's by path, with changes on top."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import tomli_w
from pydantic import ValidationError

from fashioncnn.errors import RecipeError
from fashioncnn.recipes import faults
from fashioncnn.recipes.code import find_code, misfits
from fashioncnn.recipes.files import builtin_names, cut, parse, read_tables
from fashioncnn.recipes.schema import CHOICES, Recipe, recipe_type
from fashioncnn.runs.directory import CODE
from fashioncnn.usercode.modules import source_of

# A recipe has some 50 keys, and one for each class here and there.
MAX_KEYS = 5000

# What version 0.1 wrote of every optimiser and schedule, whichever was chosen.
OF_0_1 = {
    "optimizer": {"momentum": 0.9, "sgd_learning_rate": 1.0},
    "schedule": {"final_factor": 0.0},
}

# The tables with a key for each class.
BY_CLASS = (("loss", "class_weights"), ("augmentation", "by_class"), ("reported", "classes"))

# As "optimizer.learning_rate=0.002", one or several, or {"optimizer.learning_rate": 0.002}.
Changes = str | Sequence[str] | Mapping[str, Any]


def load(
    recipe: str | Path | Recipe,
    changes: Changes = (),
    class_names: Sequence[str] | None = None,
    kept: Path | None = None,
    run_code: bool = True,
) -> Recipe:
    """Return the recipe of a built-in name or a path, or `recipe` itself, with `changes` applied.

    Raises RecipeError with every fault at once; with `class_names`, other names of classes are
    faults. A changed recipe loses its promise. Raises CodeError for files of the user's own that
    are no Python, or are gone; where runs in `kept` have copies, those are taken. Files that may
    run are imported, to check the keywords for them, unless `run_code` is False.
    """
    folder = None
    if isinstance(recipe, Recipe):
        tables, origin = recipe.model_dump(mode="json", exclude_none=True), recipe.name
    else:
        tables, origin = read_tables(recipe), str(recipe)
        folder = None if origin in builtin_names() else Path(recipe).absolute().parent
    told: dict[str, Any] = {}
    for change in _each(changes):
        _merge(told, change)
    if told:
        _leave_other_choices(tables, told)
        _merge(tables, told)
        tables.pop("promise", None)
    try:
        written_here = find_code(tables, folder, kept)
    except RecipeError as error:
        raise RecipeError(f"recipe {origin}: {error}") from None
    loaded = validate(tables, origin, class_names)
    if run_code and written_here and (lines := misfits(loaded)):
        _raise(origin, lines)
    return loaded


def validate(
    tables: dict[str, Any], origin: str, class_names: Sequence[str] | None = None
) -> Recipe:
    """Check `tables` whole; RecipeError lists every fault, with key, value and what is allowed."""
    origin = cut(origin) if "\n" in origin else origin
    if _count(tables) > MAX_KEYS:
        raise RecipeError(f"recipe {origin}: more than {MAX_KEYS:,} keys, so not a recipe")
    lines = [] if class_names is None else _unknown_classes(tables, class_names)
    try:
        recipe = recipe_type().model_validate(_without_others_defaults(tables))
    except ValidationError as error:
        lines = faults.explain(error.errors(include_url=False)) + lines
    if lines:
        _raise(origin, lines)
    return recipe


def _raise(origin: str, lines: Sequence[str]) -> NoReturn:
    raise RecipeError(faults.in_lines(f"recipe {origin}", lines))


def dump(recipe: Recipe) -> str:
    """Write `recipe` as TOML, complete: every default included."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


def as_files(recipe: Recipe, name: str = "recipe.toml") -> dict[str, str]:
    """Return the texts of a recipe and of the user's own files that it needs, by path."""
    code = source_of(recipe.code).files if recipe.code else {}
    return {name: dump(recipe)} | {f"{CODE}/{file}": text for file, text in code.items()}


def differences(mine: Recipe, theirs: Recipe, but_code: bool = False) -> list[str]:
    """List the keys that decide the weights and differ, as "key: mine, not theirs".

    With `but_code`, other versions of the user's own files are no difference.
    """
    left, right = flatten(mine.settings()), flatten(theirs.settings())
    return [
        f"{key} {left.get(key)!r}, not {right.get(key)!r}"
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key) and not (but_code and key.startswith("code."))
    ]


def _each(changes: Changes) -> list[dict[str, Any]]:
    if isinstance(changes, Mapping):
        return [_nested(key, value) for key, value in changes.items()]
    return [_parse_change(one) for one in ([changes] if isinstance(changes, str) else changes)]


def _nested(key: str, value: Any) -> dict[str, Any]:
    """Return {"a": {"b": value}} for "a.b"; the key is split as TOML does."""
    table = _parse_change(f"{key}=0")
    inner = table
    while isinstance(deeper := next(iter(inner.values())), dict):
        inner = deeper
    if hasattr(value, "dtype") and not getattr(value, "ndim", 1):
        # A number of NumPy's or PyTorch's.
        value = value.item()
    inner[next(iter(inner))] = list(value) if isinstance(value, tuple) else value
    return table


def _parse_change(change: str) -> dict[str, Any]:
    """Read "key=value" as a line of TOML; a value that is not TOML is text."""
    key, equals, value = change.partition("=")
    shown = cut(repr(change))
    if not equals or not key.strip():
        raise RecipeError(f"--set {shown}: write it as table.key=value")
    for candidate in (value, json.dumps(value.strip(), ensure_ascii=False)):
        try:
            return parse(f"{key}={candidate}")
        except ValueError:
            continue
    raise RecipeError(f"--set {shown}: {key!r} is not a key such as optimizer.learning_rate")


def _merge(tables: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(tables.get(key), dict):
            _merge(tables[key], value)
        else:
            tables[key] = value


def _leave_other_choices(tables: dict[str, Any], told: Mapping[str, Any]) -> None:
    """Drop what belongs to an optimiser, say, that `told` replaces by another one."""
    for table, choices in CHOICES.items():
        present, change = tables.get(table), told.get(table)
        if not isinstance(present, dict) or not isinstance(change, dict):
            continue
        chosen = choices.chosen(present), choices.chosen(present | change)
        before, after = (choices.table(name) for name in chosen)
        old = present.get(choices.tag)
        if before is None or after is None or change.get(choices.tag, old) == old:
            continue
        # Of a part of the user's own, every further key is a keyword of its own.
        theirs = present.keys() if before is choices.own else before.model_fields.keys()
        for key in theirs - after.model_fields.keys():
            present.pop(key, None)
        if table == "model":
            for of_the_network in {"progressive_resizing", "freezing"} - told.keys():
                tables.pop(of_the_network, None)


def _without_others_defaults(tables: dict[str, Any]) -> dict[str, Any]:
    """Return `tables` as version 0.1 would write them today.

    Its complete recipes, as runs have them, name the keys of every optimiser and schedule, at their
    defaults. One of two such keys is a mistake, to be told.
    """
    kept = dict(tables)
    for table, defaults in OF_0_1.items():
        present, choices = tables.get(table), CHOICES[table]
        if not isinstance(present, dict) or (taken := choices.chosen(present)) not in choices:
            continue
        others = {
            key: value for key, value in defaults.items() if key not in choices[taken].model_fields
        }
        if all(present.get(key) == value for key, value in others.items()):
            kept[table] = {key: value for key, value in present.items() if key not in others}
    return kept


def _count(table: object) -> int:
    """Return how many keys and entries nested tables and lists hold in all."""
    count, left = 0, [table]
    while left:
        one = left.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += len(inner)
        left.extend(inner)
    return count


def _unknown_classes(tables: dict[str, Any], class_names: Sequence[str]) -> list[str]:
    lines = []
    for table, key in BY_CLASS:
        outer = tables.get(table)
        named = outer.get(key) if isinstance(outer, dict) else None
        names = named if isinstance(named, dict) else ()
        unknown = [name for name in names if name not in class_names]
        lines += [
            f"{table}.{key} names the class {cut(repr(name))}; the classes are "
            + ", ".join(class_names)
            for name in unknown[: faults.MAX_FAULTS]
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
