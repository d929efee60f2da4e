"""What recipes promise, and whether it is still measured by the command that it names."""

from __future__ import annotations

import json
import shlex
from typing import Any

import typer

from fashioncnn.cli.verbs import app
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load, validate
from published import Result, command, result
from shared import RESULTS, ROOT


def promise(name: str) -> str | None:
    """Return a recipe's table `promise`, as TOML."""
    measured = result(name)
    if measured is None:
        return None
    accuracy = measured["metrics"]["test/accuracy"]
    return "\n".join(
        [
            "[promise]  # written by benchmarks/publish.py",
            f"test_accuracy_percent = {100 * accuracy['mean']:.2f}",
            f"std_percent = {100 * accuracy['std']:.2f}",
            f"n = {measured['n']}",
            f"seconds = {measured['metrics']['train/seconds']['mean']:.1f}",
            f"hardware = {json.dumps(measured['machine']['hardware'])}",
            f"command = {json.dumps(_own_command(name, measured))}",
            "",
        ]
    )


def _own_command(name: str, measured: Result) -> str:
    """Return what measures one recipe by itself."""
    if measured["command"] != command(measured):
        return command(measured)
    return f"fashioncnn bench speed {name} --seeds {measured['n']}"


def gone() -> list[str]:
    """Return the commands of results, and of recipes, that do not exist any more."""
    commands = {
        command(json.loads(path.read_text()))
        for path in RESULTS.rglob("*.json")
        if "command" in json.loads(path.read_text())
    }
    for name in builtin_names():
        if promised := load(name).promise:
            commands.add(promised.command)
    return sorted(one for one in commands if not exists(one))


def exists(typed: str) -> bool:
    """Say whether a command's script is there, or its verb takes these options."""
    program, *words = shlex.split(typed)
    if program == "python" and words[:2] == ["-m", "fashioncnn"]:
        program, words = "fashioncnn", words[2:]
    if program == "python":
        return (ROOT / words[0]).is_file()
    if program != "fashioncnn":
        return False
    verb: Any = typer.main.get_command(app)
    while words and not words[0].startswith("-") and hasattr(verb, "commands"):
        verb = verb.commands.get(words.pop(0))
    if verb is None or hasattr(verb, "commands"):
        return False
    options = {option for parameter in verb.params for option in parameter.opts}
    return {word for word in words if word.startswith("-")} <= options


def moved() -> list[str]:
    """Return the recipes that have changed since they were measured, where the result tells."""
    found = []
    for name in builtin_names():
        settings = (result(name) or {}).get("settings")
        if (
            settings
            and validate({"name": name} | settings, name).settings() != load(name).settings()
        ):
            found.append(name)
    return found
