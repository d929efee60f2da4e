"""Every key that a recipe may have: its bounds, its default, what it means. From the schema."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fashioncnn.recipes.schema import CHOICES, Recipe, recipe_type
from fashioncnn.registry import OWN
from fashioncnn.usercode.part import ADDRESS

Json = dict[str, Any]
# What the program writes; nobody sets it.
NOT_LISTED = ("promise", "reported", "code")


@dataclass(frozen=True)
class Key:
    """A key by its dotted name; `choice` is what has to be chosen for it to be allowed.

    `default` is None where the key has to be given.
    """

    name: str
    choice: str | None
    allowed: str
    default: Any
    required: bool
    meaning: str


def keys() -> list[Key]:
    """List every key, in the order of the schema."""
    root = _root()
    return [key for key in _keys(root, root, "", None) if key.name.split(".")[0] not in NOT_LISTED]


def allowed(path: tuple[str, ...]) -> str:
    """Say what the key at `path` may hold, in words."""
    return _words(schema_at(path))


def schema_at(path: tuple[str, ...]) -> Json:
    """Return the JSON schema of the key at `path`; empty where there is none."""
    root = _root()
    schema = root
    for part in path:
        if "oneOf" in schema:
            branches = [_resolve(branch, root) for branch in schema["oneOf"]]
            schema = next((one for one in branches if part in (_constants(one) or (OWN,))), {})
        elif part.isdigit() and "items" in schema:
            schema = schema["items"]
        elif part in schema.get("properties", {}):
            schema = schema["properties"][part]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return {}
        schema = _resolve(schema, root)
    return schema


def _root() -> Json:
    recipe_type()
    return _schema(
        tuple(one.version for one in CHOICES.values()), id(Recipe.__pydantic_validator__)
    )


@functools.lru_cache(maxsize=1)
def _schema(versions: tuple[int, ...], made: int) -> Json:
    del versions, made
    return Recipe.model_json_schema()


def _keys(schema: Json, root: Json, prefix: str, choice: str | None) -> Iterator[Key]:
    for name, unresolved in schema.get("properties", {}).items():
        inner = _resolve(unresolved, root)
        full = prefix + name
        if "oneOf" in inner:
            for branch in (_resolve(one, root) for one in inner["oneOf"]):
                tag = CHOICES[name].tag
                chosen = f"{tag} = {next(iter(_constants(branch)), OWN)}"
                # What a choice is stands in its own docstring.
                properties = branch["properties"]
                properties[tag] = {"description": branch.get("description", "")} | properties[tag]
                properties[tag]["default"] = next(iter(CHOICES[name]))
                if not _constants(branch):
                    # Who names a file has given this key.
                    branch["required"] = []
                yield from _keys(branch, root, f"{full}.", chosen)
        elif "properties" in inner:
            yield from _keys(inner, root, f"{full}.", choice)
        elif isinstance(inner.get("additionalProperties"), dict):
            of_class = _resolve(inner["additionalProperties"], root)
            meaning = _meaning(unresolved, inner)
            yield Key(f"{full}.CLASS", choice, _words(of_class), {}, False, meaning)
        else:
            yield Key(
                full,
                choice,
                _words(inner),
                unresolved.get("default"),
                name in schema.get("required", ()),
                _meaning(unresolved, inner),
            )


def _meaning(*schemas: Json) -> str:
    return next((one["description"] for one in schemas if "description" in one), "")


def _constants(schema: Json) -> list[str]:
    properties = schema.get("properties", {}).values()
    return [one["const"] for one in properties if "const" in one]


def _resolve(schema: Json, root: Json) -> Json:
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        schema = choices[0] if len(choices) == 1 else schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _words(schema: Json) -> str:
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(_words(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("pattern") == ADDRESS:
        return "a name in a file, as mine.py:Name"
    if "prefixItems" in schema:
        first, *others = schema["prefixItems"]
        return f"a list of {1 + len(others)} entries: {_words(first).removeprefix('a ')}"
    if schema.get("type") == "array":
        if "maxItems" not in schema:
            return "a list"
        items = _words(schema["items"]).removeprefix("a ")
        return f"a list of {schema.get('minItems', 0)} to {schema['maxItems']} entries: {items}"
    if "oneOf" in schema:
        return "a table"
    kind = {
        "number": "a number",
        "integer": "a whole number",
        "string": "text",
        "boolean": "true or false",
        "object": "a table",
    }.get(schema.get("type", ""), "something else")
    bounds = {
        "exclusiveMinimum": "above",
        "minimum": "at least",
        "exclusiveMaximum": "below",
        "maximum": "at most",
        "pattern": "matching",
        "maxLength": "of at most this many characters:",
    }
    limits = [f"{word} {schema[key]}" for key, word in bounds.items() if key in schema]
    return " ".join([kind, " and ".join(limits)]).strip()
