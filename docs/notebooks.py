"""Files in percent form as notebooks, for the site and for readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext


def read(text: str) -> Any:
    """Return a file in percent form as a notebook."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    return notebook


def write_all(docs: Path) -> None:
    """Write each tutorial and exercise as a notebook beside the site's other files."""
    folder = docs / "_static" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted([*docs.glob("tutorials/*.py"), *docs.glob("exercises/*.py")]):
        jupytext.write(read(path.read_text("utf-8")), folder / f"{path.stem}.ipynb")
