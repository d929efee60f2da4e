"""One clear line for each fault in a recipe: the key, the value, and what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from fashioncnn.recipes.files import cut
from fashioncnn.recipes.keys import allowed, schema_at
from fashioncnn.recipes.schema import CHOICES
from fashioncnn.registry import OWN

# So many faults are told; a file may hold any number.
MAX_FAULTS = 20
# Looking for the key that was meant takes time for every character.
MAX_GUESSED = 40


def in_lines(what: str, lines: Iterable[str]) -> str:
    """Return the message about `what`: one fault is one line; several follow, a line each."""
    told = list(dict.fromkeys(lines))
    told = told if len(told) <= MAX_FAULTS else [*told[:MAX_FAULTS], "and more"]
    return f"{what}:" + (" " if len(told) == 1 else "\n  ") + "\n  ".join(told)


def explain(faults: Iterable[Mapping[str, Any]]) -> list[str]:
    """Turn pydantic's errors about a `Recipe` into lines for people, one a key."""
    lines: dict[str, str] = {}
    for fault in faults:
        path = tuple(str(part) for part in fault["loc"])
        if fault["type"] == "union_tag_invalid":
            tag = CHOICES[path[0]].tag
            path, fault = (*path, tag), {**fault, "input": fault["input"][tag]}
        elif fault["type"] != "extra_forbidden" and not schema_at(path):
            # What a key of several kinds may be is told by the key, not by each kind.
            path, fault = _of_key(path), {**fault, "type": "wrong"}
        key = _key(path)
        # A list whose entry is wrong is told to be too short, too.
        if key in lines or any(told.startswith(f"{key}.") for told in lines):
            continue
        if len(lines) == MAX_FAULTS:
            return [*lines.values(), "and more"]
        lines[key] = _line(path, fault)
    return list(lines.values())


def _of_key(path: tuple[str, ...]) -> tuple[str, ...]:
    while path and not schema_at(path):
        path = path[:-1]
    return path


def show(value: object) -> str:
    """Write a value as JSON, cut where it is long."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        # Python writes no whole number of more than 4,300 digits.
        text = f"{type(value).__name__} too long to show"
    return cut(text)


def _line(path: tuple[str, ...], fault: Mapping[str, Any]) -> str:
    key = _key(path)
    if fault["type"] == "extra_forbidden":
        siblings = list(schema_at(path[:-1]).get("properties", {}))
        short = len(path[-1]) <= MAX_GUESSED
        near = difflib.get_close_matches(path[-1], siblings, 1) if short else []
        hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(siblings)}"
        return f"unknown key {key}; {hint}"
    if fault["type"] == "missing":
        return f"{key} is missing; it must be {allowed(path)}"
    if fault["type"] == "union_tag_invalid":
        return (
            f"{key} is {show(fault['input'])}; it must be one of "
            f"{', '.join(CHOICES[path[0]])}, or of your own, as mine.py:Name"
        )
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return f"{key} is {show(fault['input'])}; it must be {allowed(path)}"


def _key(path: tuple[str, ...]) -> str:
    """Join a path as TOML writes it; which of several choices is meant is not part of it."""
    if path[1:2] and path[0] in CHOICES and path[1] in (*CHOICES[path[0]], OWN):
        path = (path[0], *path[2:])
    bare = [part if part.replace("_", "").isalnum() else json.dumps(part) for part in path]
    return ".".join(cut(part) for part in bare)
