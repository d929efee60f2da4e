"""Carry measured results to where people read them: README's tables, the figure, the promises.

A result says by which command it was measured; where that command is gone, `again` in the result
names the one that measures the same today. With --check, nothing is written: it fails where a
document is not what the results say, a recipe not the one that was measured, or a command not one
that exists.

Usage: python benchmarks/publish.py [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from explorer_table import explorer_table
from fashioncnn.recipes.files import builtin_names
from ladder import draw_ladder, ladder_table
from photograph_tables import parts_tables, photographs_table
from promises import gone, moved, promise
from seed_tables import seeds_table
from shared import ROOT
from speed_tables import amx_table, draw_speed, speed_table

EXPLORE = ROOT / "docs" / "how-to" / "explore.md"
AMX = ROOT / "docs" / "findings" / "amx.md"
PHOTOGRAPHS = ROOT / "docs" / "how-to" / "photographs.md"
RECIPES = ROOT / "src" / "fashioncnn" / "recipes" / "builtin"
BLOCK = "<!-- {}: made by benchmarks/publish.py -->"
END = "<!-- end of {} -->"


def published() -> dict[Path, str]:
    """Return what every file that carries results should hold."""
    readme = ROOT / "README.md"
    tables = {"seeds": seeds_table(), "speed": speed_table(), "ladder": ladder_table()}
    files = {
        readme: _filled(readme, tables),
        EXPLORE: _filled(EXPLORE, {"explorer": explorer_table()}),
        AMX: _filled(AMX, {"amx": amx_table()}),
        PHOTOGRAPHS: _filled(
            PHOTOGRAPHS,
            {
                "photographs": photographs_table(),
                "parts": parts_tables(),
            },
        ),
    }
    for name in builtin_names():
        path = RECIPES / f"{name}.toml"
        if (written := promise(name)) is not None:
            plain = re.split(r"\n\[promise\]", path.read_text())[0].rstrip()
            files[path] = f"{plain}\n\n{written}"
    return files


def _filled(path: Path, tables: dict[str, str]) -> str:
    """Return a document with these tables in their places."""
    text = path.read_text()
    for block, content in tables.items():
        begin, end = BLOCK.format(block), END.format(block)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


def main() -> None:
    """Write the files, or with --check say which are not as the results have it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    for name in (changed := moved()):
        print(f"{name} is not the recipe that was measured: measure it anew")
    if changed:
        sys.exit(1)
    files = published()
    stale = {path: text for path, text in files.items() if path.read_text() != text}
    if only_check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from benchmarks/results: run publish.py")
        for typed in (missing := gone()):
            print(f"no such command: {typed}")
        if stale or missing:
            sys.exit(1)
        print(f"{len(files)} files are as the results have it")
        return
    for path, text in stale.items():
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    draw_speed()
    draw_ladder()


if __name__ == "__main__":
    main()
