"""Trained networks that come with the package: bundles, by the names of their recipes."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path


@cache
def shipped() -> dict[str, Path]:
    """Return the folders of the bundles that come with this installation, by name."""
    folder = Path(str(resources.files("fashioncnn") / "weights"))
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {one.name: one for one in found if (one / "config.json").is_file()}


def place_of(bundle: Path | str) -> Path:
    """Return the folder of a bundle that is given by its path, or else by a name of `shipped`."""
    path = Path(bundle)
    if path.exists():
        return path
    return shipped().get(str(bundle), path)
