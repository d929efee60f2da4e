"""The documentation's site: `make docs` builds it in build/site, offline, from PyPI packages."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext

project = "fashioncnn"
author = "the founders of fashioncnn"
release = version("fashioncnn")
extensions = ["myst_nb"]
html_theme = "furo"
html_title = "fashioncnn"
html_static_path = ["_static"]
exclude_patterns = ["_static"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# A file in percent form is a notebook; exercises are for the reader to run.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parent.parent / "build" / "notebooks")
nb_execution_excludepatterns = ["exercises/*"]
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_merge_streams = True
# Progress is for the terminal; what a notebook writes goes where nothing else is.
nb_execution_in_temp = True


def _offer_notebooks(app: Any) -> None:
    """Write each tutorial and exercise as a notebook beside the site's other files."""
    folder = Path(app.srcdir) / "_static" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(app.srcdir).glob("[te][ux]*/*.py")):
        jupytext.write(jupytext.read(path), folder / f"{path.stem}.ipynb")


def setup(app: Any) -> None:
    """Hook the above in."""
    os.environ.setdefault("MPLBACKEND", "agg")
    app.connect("builder-inited", _offer_notebooks)
