"""Write what documents take from the code and from records/.

The table of a recipe's keys, the command line, the Python names, the files of a run, the records.

Usage: python tools/documents.py [--check]
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import fashioncnn as fc
from fashioncnn.cli import verbs
from fashioncnn.recipes.keys import Key, keys
from fashioncnn.runs import artifacts
from fashioncnn.runs.artifact import ArraysArtifact, Artifact, JsonArtifact

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BEGIN, END = "<!-- keys: made by tools/documents.py -->", "<!-- end of keys -->"
MADE = "<!-- made by tools/documents.py: change the code, then `make docs` -->"


def recipes_page() -> str:
    """Return the page on recipes with the table of every key."""
    text = (DOCS / "reference" / "recipes.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = ["| key | may be | default | meaning |", "|---|---|---|---|"]
    for key in keys():
        name = f"`{key.name}`" + (f" ({key.choice})" if key.choice else "")
        meaning = " ".join(key.meaning.split())
        lines.append(f"| {name} | {key.allowed} | {_default(key)} | {meaning} |")
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}"


def _default(key: Key) -> str:
    if key.required:
        return "needed"
    return "–" if key.default in (None, {}) else f"`{json.dumps(key.default)}`"


def command_line_page() -> str:
    """Return what every verb says of itself."""
    lines = ["# Command line", "", MADE, ""]
    for name, command in _commands(typer.main.get_command(verbs.app), "fashioncnn"):
        context = command.context_class(command, info_name=name, terminal_width=96)
        words = command.get_help(context).strip().splitlines()
        words = [line.rstrip() for line in words]
        lines += [f"## {name}", "", "```text", *words, "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _commands(one, f"{name} {word}")


def python_page() -> str:
    """Return every public name with its signature and docstring."""
    lines = ["# Python", "", MADE, "", "`import fashioncnn as fc`", ""]
    for name in fc.__all__:
        thing = getattr(fc, name)
        lines += [f"## fc.{name}", "", "```python", _signature(name, thing), "```", ""]
        lines += [_words(thing), ""]
        for method, function in _methods(thing):
            lines += [f"### {name}.{method}", "", _words(function), ""]
    return "\n".join(lines).rstrip() + "\n"


def _words(thing: Any) -> str:
    # Markdown would take <time> for a tag.
    return inspect.cleandoc(thing.__doc__ or "").replace("<", "&lt;")


def _signature(name: str, thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return f"{name}"
    parts = []
    star = False
    for one in signature.parameters.values():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        default = "" if one.default is one.empty else f" = {_value(one.default)}"
        kind = "" if one.annotation is one.empty else f": {_annotation(one.annotation)}"
        parts.append(f"{'**' if one.kind is one.VAR_KEYWORD else ''}{one.name}{kind}{default}")
    whole = f"fc.{name}({', '.join(parts)})"
    if len(whole) > 96:
        whole = f"fc.{name}(\n    " + ",\n    ".join(parts) + ",\n)"
    return whole


def _value(default: object) -> str:
    if callable(default):
        return getattr(default, "__name__", "…")
    return f"{str(default)!r}" if isinstance(default, Path) else repr(default)


def _annotation(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return str(text)


def _methods(thing: Any) -> Iterator[tuple[str, Any]]:
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return
    for name, member in vars(thing).items():
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        function = getattr(function, "__func__", function)
        if not name.startswith("_") and callable(function) and getattr(function, "__doc__", None):
            yield name, function


def files_page() -> str:
    """Return the files of a run, and the form of each."""
    lines = ["# The files of a run", "", MADE, "", *RUN.strip().splitlines(), ""]
    every = (*vars(artifacts).values(), artifacts.scores(), artifacts.predictions())
    found = {one.path: one for one in every if isinstance(one, Artifact)}
    for path, artifact in sorted(found.items()):
        lines += [f"## `{path}`", ""]
        if isinstance(artifact, ArraysArtifact):
            lines += ["| array | kind | axes |", "|---|---|---|"]
            lines += [
                f"| `{name}` | `{spec.kind}` | {' × '.join(map(str, spec.axes)) or 'one number'} |"
                for name, spec in artifact.specs.items()
            ]
        elif isinstance(artifact, JsonArtifact):
            schema = artifact.schema()
            lines += [" ".join(str(schema.get("description", "")).split()), ""]
            lines += ["| key | holds |", "|---|---|"]
            lines += [f"| `{name}` | {_holds(one)} |" for name, one in schema["properties"].items()]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


RUN = """
A run directory holds everything about one training. JSON and safetensors alone are read: nothing is
ever unpickled.

| file | holds |
|---|---|
| `recipe.toml` | the resolved recipe, complete; `fashioncnn train` takes it as it is |
| `code/*.py` | the user's own files that the recipe names; their SHA-256 is in its table `code` |
| `provenance.json` | seed, data set and split with their digests, versions, hardware, command |
| `metrics.jsonl` | a line an epoch: `epoch`, `train/…` and `val/…` figures, seconds |
| `checkpoints/best.json`, `last.json` | which tensor file, its SHA-256, where training stood |
| `checkpoints/epoch-….safetensors` | `model/…`, `average/…`, `optimizer/…`, random states |
| `snapshots/` | the weights after some epochs, fp16 |
| `evaluation/test_readings.jsonl` | a line for each reading of test: when, why, which weights |
| `figures/` | each figure as SVG and PNG |
| `report.html`, `report.json` | the page, and [its document](page-document.md) |

The files below are each of certain weights: `checkpoint_sha256` says which, `form` which version of
the form. Kinds of arrays are numpy's: `f` finite numbers, `i` and `u` whole ones, `U` text. An axis
with a letter is as long in every array of the file; `.` is of any length, `…` any number of axes.
`*` stands for names of layers.
"""


def _holds(schema: dict[str, Any]) -> str:
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_holds(one) for one in schema[key]))
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[1]}`"
    if schema.get("type") == "array":
        items: dict[str, Any] = schema.get("items") or next(iter(schema.get("prefixItems", ())), {})
        return f"list of {_holds(items)}" if items else "list"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"table of {_holds(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))


def records_page() -> str:
    """Return the records, by accuracy, the newest first, and the rules that they kept."""
    lines = ["# Records", "", MADE, "", *RULES.strip().splitlines(), ""]
    found = [json.loads(file.read_text()) for file in sorted(ROOT.glob("records/*/*/record.json"))]
    for percent in sorted({one["percent"] for one in found}):
        lines += [f"## {percent:g} %", ""]
        lines += [
            "| date | recipe | accuracy, % | p | to trained weights, s | × previous |"
            " × ordinary | n | on |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        of_percent = [one for one in found if one["percent"] == percent]
        for one in sorted(of_percent, key=lambda one: one["date"], reverse=True):
            times = one["times_previous"]
            lines.append(
                f"| {one['date']} | `{one['recipe']}` | {one['accuracy_mean']:.2f} ± "
                f"{one['accuracy_std']:.2f} | {one['accuracy_p_value']:.2g} | "
                f"{one['seconds_mean']:.1f} ± {one['seconds_std']:.1f} | "
                f"{'first' if times is None else f'{times:.3f}'} | "
                f"{one['times_ordinary'] or 0:.2f} | {one['n']} | {one['hardware']} |"
            )
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


RULES = """
The fastest recipes to an accuracy on the test pictures. Each entry is a folder in `records/`:
recipe, code where it has any, log, environment, results. What has to hold:

- Ten different seeds or more, test read once each; their mean is above the accuracy at p < 0.01
  (Student's t, one-sided). Settings are chosen on validation, never by test; the run fits all.
- The clock runs from uint8 pictures in memory to the final weights; compilation and preparation are
  inside.
- The previous record and the ordinary way are measured again in the same run, on the same machine,
  alternating seed by seed. The new one is faster at p < 0.01 (t of the logarithms of the ratios).

To send one: `fashioncnn bench record RECIPE --percent 94 --against records/94-percent/ENTRY`, and a
pull request with the folder that it writes. It is measured again before it is taken.

On two cores there is no entry yet for 93 % (`fast-93`: 93.04 ± 0.14 %, n = 10, p = 0.18, by
`bench record fast-93 --percent 93 --measured benchmarks/results`) and none for 95 % (`fast-95`:
95.17 ± 0.03 %, n = 3). On a GPU nothing is measured.
"""

PAGES = {
    "reference/recipes.md": recipes_page,
    "reference/command-line.md": command_line_page,
    "reference/python.md": python_page,
    "reference/files.md": files_page,
    "records.md": records_page,
}


def main() -> None:
    """Write the pages, or with --check say which are not what the code says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check: bool = parser.parse_args().check
    for name, make in PAGES.items():
        path, wanted = DOCS / name, make()
        if path.exists() and path.read_text() == wanted:
            continue
        if only_check:
            sys.exit(f"docs/{name} is not what the code says: python tools/documents.py")
        path.write_text(wanted)


if __name__ == "__main__":
    main()
