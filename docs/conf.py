"""The documentation's site: `make docs` builds it in build/site, offline, from PyPI packages."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import notebooks  # noqa: E402 it lies beside this file

project = "fashioncnn"
author = "the founders of fashioncnn"
release = metadata.version("fashioncnn")
extensions = ["myst_nb"]
html_theme = "furo"
html_title = "fashioncnn"
html_static_path = ["_static"]
exclude_patterns = ["_static", "conf.py", "notebooks.py"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# A file in percent form is a notebook; exercises are for the reader to run.
nb_custom_formats = {".py": ["notebooks.read", {}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "notebooks")
nb_execution_excludepatterns = ["exercises/*"]
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_merge_streams = True
# Progress is for the terminal; what a notebook writes goes where nothing else is.
nb_execution_in_temp = True


os.environ.setdefault("MPLBACKEND", "agg")
# tqdm's wish for ipywidgets is nothing to readers.
os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")
notebooks.write_all(HERE)
