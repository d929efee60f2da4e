"""A file of a run that was made of certain weights: stamped, checked, read at most once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from fashioncnn.errors import RunError
from fashioncnn.npz import Arrays
from fashioncnn.runs import arrays
from fashioncnn.runs.arrays import Spec
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text

T = TypeVar("T")
# The stamp: the SHA-256 of the weights that the content is of, and the version of its form.
WEIGHTS, FORM = "checkpoint_sha256", "form"


class Artifact(ABC, Generic[T]):
    """`path` is within the run; `form` counts up when what the file holds changes."""

    def __init__(self, path: str, form: int = 1) -> None:
        self.path, self.form = path, form

    @abstractmethod
    def read(self, path: Path) -> tuple[T, str, int]:
        """Return content, weights and form. Raises RunError when damaged."""

    @abstractmethod
    def write(self, path: Path, content: T, weights: str) -> None:
        """Put `content` with its stamp at `path`. Raises StorageError."""


class JsonArtifact(Artifact[T]):
    """A JSON object that holds the dataclass `kind`, its fields beside the stamp."""

    def __init__(self, path: str, kind: type[T], form: int = 1) -> None:
        super().__init__(path, form)
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def schema(self) -> dict[str, Any]:
        """Return the form as JSON schema."""
        return self._adapter.json_schema()

    def read(self, path: Path) -> tuple[T, str, int]:
        """See Artifact."""
        found = read_json(path)
        try:
            content = self._adapter.validate_python(found)
            weights, form = str(found[WEIGHTS]), int(found.get(FORM, 1))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))[:60]
            raise RunError(f"{path}: damaged ({where}: {first['msg'][:80]})") from None
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise RunError(f"{path}: damaged") from None
        return content, weights, form

    def write(self, path: Path, content: T, weights: str) -> None:
        """See Artifact."""
        values = self._adapter.dump_python(content, mode="json")
        write_text(path, to_json({WEIGHTS: weights, FORM: self.form} | values))


class ArraysArtifact(Artifact[Arrays]):
    """Named arrays, each as its spec says; the stamp lies beside them."""

    def __init__(self, path: str, specs: Mapping[str, Spec], form: int = 1) -> None:
        super().__init__(path, form)
        self.specs = specs

    def read(self, path: Path) -> tuple[Arrays, str, int]:
        """See Artifact."""
        found = arrays.read(path)
        weights, form = found.pop(WEIGHTS, np.array("")), found.pop(FORM, np.array(1))
        if wrong := arrays.fault(found, self.specs):
            raise RunError(f"{path}: damaged ({wrong[:100]})")
        if weights.shape or form.shape or form.dtype.kind != "i":
            raise RunError(f"{path}: damaged (its stamp)")
        return found, str(weights), int(form)

    def write(self, path: Path, content: Arrays, weights: str) -> None:
        """See Artifact."""
        stamp: dict[str, Any] = {WEIGHTS: np.array(weights), FORM: np.array(self.form)}
        arrays.write(path, content | stamp)


class Kept:
    """The files of `run` that are of `weights` (a SHA-256); each is read at most once.

    `tell` hears of damaged files, which count as missing.
    """

    def __init__(self, run: Run, weights: str, tell: Callable[[str], None]) -> None:
        self.run, self.weights = run, weights
        self._tell = tell
        self._known: dict[tuple[str, int], Any] = {}

    def get(self, artifact: Artifact[T]) -> T | None:
        """Return the content; None where it is missing, damaged, or of other weights or form."""
        key = artifact.path, artifact.form
        if key not in self._known:
            self._known[key] = self._read(artifact)
        found: T | None = self._known[key]
        return found

    def put(self, artifact: Artifact[T], content: T) -> T:
        """Write the content, and return it. Raises StorageError."""
        path = self.run.path / artifact.path
        make_folder(path.parent)
        artifact.write(path, content, self.weights)
        self._known[artifact.path, artifact.form] = content
        return content

    def _read(self, artifact: Artifact[T]) -> T | None:
        path = self.run.path / artifact.path
        if not path.exists():
            return None
        try:
            content, weights, form = artifact.read(path)
        except RunError as error:
            self._tell(f"{error}; taken as missing")
            return None
        return content if (weights, form) == (self.weights, artifact.form) else None
