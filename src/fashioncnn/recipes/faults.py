"""One clear line for each fault in a recipe: the key, the value, and what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from fashioncnn.recipes.schema import FAMILIES, Recipe

Json = dict[str, Any]


def explain(faults: Iterable[Mapping[str, Any]]) -> list[str]:
    """Turn pydantic's errors about a `Recipe` into lines for people, one a key."""
    lines: dict[str, str] = {}
    for fault in faults:
        path = tuple(str(part) for part in fault["loc"])
        if fault["type"] == "union_tag_invalid":
            path, fault = (*path, "family"), {**fault, "input": fault["input"]["family"]}
        lines.setdefault(_key(path), _line(path, fault))
    return list(lines.values())


def allowed(path: tuple[str, ...]) -> str:
    """Say what the key at `path` may hold, in words, from the schema."""
    return _words(_schema_at(path))


def _line(path: tuple[str, ...], fault: Mapping[str, Any]) -> str:
    key = _key(path)
    if fault["type"] == "extra_forbidden":
        siblings = list(_schema_at(path[:-1]).get("properties", {}))
        near = difflib.get_close_matches(path[-1], siblings, 1)
        hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(siblings)}"
        return f"unknown key {key}; {hint}"
    if fault["type"] == "missing":
        return f"{key} is missing; it must be {allowed(path)}"
    if fault["type"] == "union_tag_invalid":
        return f"{key} is {_show(fault['input'])}; it must be one of {', '.join(FAMILIES)}"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return f"{key} is {_show(fault['input'])}; it must be {allowed(path)}"


def _key(path: tuple[str, ...]) -> str:
    """Join a path as TOML writes it; which family of networks is meant is not part of it."""
    if path[:1] == ("model",) and path[1:2] and path[1] in FAMILIES:
        path = (path[0], *path[2:])
    bare = [part if part.replace("_", "").isalnum() else json.dumps(part) for part in path]
    return ".".join(bare)


def _show(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _schema_at(path: tuple[str, ...]) -> Json:
    root = Recipe.model_json_schema()
    schema = _resolve(root, root)
    for part in path:
        if "oneOf" in schema:
            branches = [_resolve(branch, root) for branch in schema["oneOf"]]
            schema = next(b for b in branches if b["properties"]["family"]["const"] == part)
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


def _resolve(schema: Json, root: Json) -> Json:
    if "anyOf" in schema:
        schema = next(choice for choice in schema["anyOf"] if choice.get("type") != "null")
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _words(schema: Json) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        items = _words(schema["items"]).removeprefix("a ")
        return f"a list of {schema.get('minItems', 0)} to {schema.get('maxItems')} entries: {items}"
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
