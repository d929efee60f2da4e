"""Carry measured results to where people read them: README's table and the recipes' promises.

Usage: python benchmarks/publish.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from fashioncnn.recipes.load import builtin_names, load

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
RECIPES = ROOT / "src" / "fashioncnn" / "recipes" / "builtin"
BEGIN, END = "<!-- results: made by benchmarks/publish.py -->", "<!-- end of results -->"

Result = dict[str, Any]


def result(name: str) -> Result | None:
    """Return one published result, or None when it was not measured."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    content: Result = json.loads(path.read_text())
    return content


def spread(result: Result, metric: str, scale: float = 1.0, digits: int = 2) -> str:
    """Write a metric as mean ± standard deviation."""
    one = result["metrics"][metric]
    return f"{scale * one['mean']:.{digits}f} ± {scale * one['std']:.{digits}f}"


def table() -> str:
    """Return README's table of results, in Markdown."""
    lines = [
        "| | accuracy, % | weighted F1 | Shirt F1 | epochs alone, s | whole run, s | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("two-conv", "three-conv"):
        reported = load(name).reported
        assert reported is not None
        shirt = reported.classes["Shirt"].f1
        weighted = "–" if reported.f1_weighted is None else f"{reported.f1_weighted:.2f}"
        lines.append(
            f"| {name}, as reported | {100 * reported.accuracy:.2f} | {weighted} "
            f"| {shirt:.2f} | – | – | – |"
        )
        for suffix, words in (("", ""), ("-bf16", " `--precision bf16`"), ("-ordinary", "")):
            if measured := result(f"{name}{suffix}"):
                label = "the ordinary way" if suffix == "-ordinary" else f"**`{name}`**{words}"
                lines.append(f"| {label} | {_cells(measured)} |")
    return "\n".join([*lines, "", *_words()])


def _cells(measured: Result) -> str:
    return " | ".join(
        [
            spread(measured, "test/accuracy", 100),
            spread(measured, "test/f1_weighted", digits=4),
            spread(measured, "test/f1/Shirt", digits=3),
            spread(measured, "train/seconds", digits=1),
            spread(measured, "run/seconds", digits=1),
            str(measured["n"]),
        ]
    )


def _words() -> list[str]:
    measured = result("two-conv")
    if measured is None:
        return []
    versions, machine = measured["versions"], measured["machine"]
    faster = [
        f"{result['ratios']['two-conv-ordinary']['median']:.2f} times faster {words}"
        for result, words in ((measured, "in fp32"), (_named("two-conv-bf16"), "in bf16"))
    ]
    return [
        f"Mean ± standard deviation over n seeds, on {machine['hardware']}, torch "
        f"{versions['torch']}, Python {versions['python']}; `{measured['command']}`, "
        f"{measured['date']}, one process after the other. Test is read once a run, by the weights "
        f"that are best on validation. Whole runs of `two-conv` are {' and '.join(faster)} than "
        "the ordinary way (Pillow, DataLoader, unfused Adam; the same network and epochs; median "
        "of the ratios pair by pair).",
    ]


def _named(name: str) -> Result:
    found = result(name)
    assert found is not None
    return found


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
            f"command = {json.dumps(measured['command'])}",
            "",
        ]
    )


def published() -> dict[Path, str]:
    """Return what every file that carries results should hold."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    files = {readme: f"{before}{BEGIN}\n{table()}\n{END}{after}"}
    for name in builtin_names():
        path = RECIPES / f"{name}.toml"
        if (written := promise(name)) is not None:
            plain = re.split(r"\n\[promise\]", path.read_text())[0].rstrip()
            files[path] = f"{plain}\n\n{written}"
    return files


def main() -> None:
    """Write the files, or with --check say which are not as the results have it."""
    stale = {path: text for path, text in published().items() if path.read_text() != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from benchmarks/results: run publish.py")
        sys.exit(1 if stale else 0)
    for path, text in stale.items():
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
