"""Write what documents take from the code: the table of a recipe's keys in docs/recipes.md.

Usage: python tools/documents.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fashioncnn.recipes.keys import Key, keys

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "recipes.md"
BEGIN, END = "<!-- keys: made by tools/documents.py -->", "<!-- end of keys -->"


def keys_table() -> str:
    """Return every key of a recipe as a table in Markdown."""
    lines = ["| key | may be | default | meaning |", "|---|---|---|---|"]
    for key in keys():
        name = f"`{key.name}`" + (f" ({key.choice})" if key.choice else "")
        meaning = " ".join(key.meaning.split())
        lines.append(f"| {name} | {key.allowed} | {_default(key)} | {meaning} |")
    return "\n".join(lines)


def _default(key: Key) -> str:
    if key.required:
        return "needed"
    return "–" if key.default in (None, {}) else f"`{json.dumps(key.default)}`"


def main() -> None:
    """Write the table, or with --check say that it is not what the code says."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n{keys_table()}\n{END}{after}"
    if wanted == text:
        return
    if "--check" in sys.argv[1:]:
        sys.exit(f"{DOCUMENT.name} is not what the code says: make docs")
    DOCUMENT.write_text(wanted)


if __name__ == "__main__":
    main()
