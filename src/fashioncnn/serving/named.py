"""Bundles by the names that they are served under."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fashioncnn.bundles.bundle import Bundle, open_bundle
from fashioncnn.bundles.facts import Facts
from fashioncnn.bundles.shipped import place_of
from fashioncnn.errors import ServingError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def named(bundles: Sequence[Path | str]) -> dict[str, Path]:
    """Return the folders of bundles, given as FOLDER or NAME=FOLDER, by name.

    Without a name they are called as their recipes are. Raises ServingError for two of one name,
    BundleError for what is no bundle.
    """
    if not bundles:
        raise ServingError("name a bundle, or several")
    found: dict[str, Path] = {}
    for given in bundles:
        name, equals, path = str(given).partition("=")
        if not equals or not NAME.fullmatch(name):
            name, path = "", str(given)
        name = name or open_bundle(path).facts.name
        if name in found:
            raise ServingError(f"two bundles are called {name}: give one as NAME={path}")
        found[name] = place_of(path)
    return found


def told(bundles: Mapping[str, Bundle]) -> tuple[dict[str, Facts], dict[str, bytes]]:
    """Return what opened bundles say of themselves, and the pages in which they run, by name."""
    facts = {name: one.facts.model_copy(update={"name": name}) for name, one in bundles.items()}
    pages = {name: one.explorer for name, one in bundles.items()}
    return facts, {name: page for name, page in pages.items() if page is not None}
