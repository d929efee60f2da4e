"""A bundle in memory, and how it is put in its place, whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashioncnn.bundles import bundle as parts
from fashioncnn.bundles.bundle import is_bundle, open_bundle
from fashioncnn.bundles.facts import Config, Facts, FileFacts
from fashioncnn.errors import BundleError, StorageError
from fashioncnn.exporting.card import card
from fashioncnn.exporting.onnx_file import with_metadata
from fashioncnn.runs.files import sync_folder, to_json, write_bytes

SPEED = "speed.json"


@dataclass(frozen=True)
class NewBundle:
    """A bundle in memory; `speed` is what speed.json holds, if anything."""

    facts: Facts
    model: bytes
    weights: bytes
    recipe: str
    explorer: str | None
    speed: Mapping[str, Any] | None = None

    def files(self) -> dict[str, bytes]:
        """Return the content of every file that has a digest in config.json."""
        told = {
            "fashioncnn": self.facts.model_dump_json(),
            "class_names": json.dumps(self.facts.class_names),
            "temperature": repr(self.facts.temperature),
            "not_sure_below": repr(self.facts.not_sure_below),
            "not_sure_energy": repr(self.facts.not_sure_energy),
            "trained_on": self.facts.trained_on.model_dump_json(),
            "weights_sha256": self.facts.weights_sha256,
            "license": self.facts.license,
            "recipe": self.recipe,
        }
        page = {} if self.explorer is None else {parts.EXPLORER: self.explorer.encode()}
        return {
            parts.MODEL: with_metadata(self.model, told),
            parts.WEIGHTS: self.weights,
            parts.CARD: card(self.facts).encode(),
            parts.RECIPE: self.recipe.encode(),
        } | page


def check_place(folder: Path) -> None:
    """Raise BundleError where a bundle would take the place of something else."""
    if folder.exists() and not is_bundle(folder) and (folder.is_file() or any(folder.iterdir())):
        raise BundleError(f"{folder} is there already, and no bundle: choose another --out")
    there = {one.name for one in folder.iterdir()} if folder.exists() else set()
    if others := sorted(there - {*parts.FILES, parts.CONFIG, SPEED}):
        raise BundleError(
            f"{folder} is replaced, and holds {others[0]!r}, which is no part of a bundle: choose "
            "another --out"
        )


def put(folder: Path, made: NewBundle) -> None:
    """Write the bundle beside, then put it in its place, whole."""
    files = made.files()
    said = {
        name: FileFacts(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in files.items()
    }
    config = Config(facts=made.facts, files=said)
    files[parts.CONFIG] = to_json(config.model_dump(mode="json")).encode()
    if made.speed is not None:
        files[SPEED] = to_json(made.speed).encode()
    # Where a link leads to a bundle, that is exchanged, and the link stays.
    folder = Path(os.path.realpath(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-bundle-", dir=folder.parent))
        try:
            for name, content in files.items():
                write_bytes(scratch / name, content)
            open_bundle(scratch)
            scratch.chmod(0o755)
            if folder.exists():
                folder.rename(scratch / "before")
            scratch.rename(folder)
            shutil.rmtree(folder / "before", ignore_errors=True)
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise StorageError.from_os_error("write", folder, error) from None
